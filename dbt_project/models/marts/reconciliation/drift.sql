-- Grain: day × marketplace × level × fee type × currency. How far the two sides are apart on that day's business, how many comparisons
-- stand open, and since which day the fee type has been apart without a break in its open items. Day = business day of the subject.
with

compared as (

    select
        comparisons.*,
        comparisons.subject_date as drift_date
    from {{ ref('int_matching__comparisons') }} as comparisons

),

completeness as (

    select * from {{ ref('completeness') }}

),

daily as (

    select
        compared.marketplace_code,
        -- One per marketplace; what is compared before an ERP was ever read may not have it yet.
        max(compared.entity_code) as entity_code,
        compared.level_code,
        compared.fee_type,
        compared.drift_date,
        compared.currency_code,
        count(*) as compared_count,
        sum(case when compared.status in ('MATCHED', 'MATCHED_WITHIN_TOLERANCE') then 1 else 0 end) as matched_count,
        sum(case when compared.status = 'TIMING' then 1 else 0 end) as timing_count,
        sum(case when compared.status = 'EXCEPTION' then 1 else 0 end) as exception_count,
        sum(case when compared.status = 'EXCLUDED' then 1 else 0 end) as excluded_count,
        sum(compared.expected_amount) as expected_amount,
        sum(compared.actual_amount) as actual_amount,
        sum(
            case
                when compared.status = 'EXCEPTION' then compared.actual_amount - compared.expected_amount
                else 0
            end
        ) as exception_amount
    from compared
    where compared.drift_date is not null
    group by
        compared.marketplace_code,
        compared.level_code,
        compared.fee_type,
        compared.drift_date,
        compared.currency_code

),

final as (

    select
        daily.marketplace_code,
        daily.entity_code,
        daily.drift_date,
        daily.level_code,
        daily.fee_type,
        daily.currency_code,
        cast(daily.compared_count as integer) as compared_count,
        cast(daily.matched_count as integer) as matched_count,
        cast(daily.timing_count as integer) as timing_count,
        cast(daily.exception_count as integer) as exception_count,
        cast(daily.excluded_count as integer) as excluded_count,
        cast(daily.expected_amount as decimal(18, 2)) as expected_amount,
        cast(daily.actual_amount as decimal(18, 2)) as actual_amount,
        cast(daily.actual_amount - daily.expected_amount as decimal(18, 2)) as delta_amount,
        cast(daily.exception_amount as decimal(18, 2)) as exception_amount,
        cast(sum(daily.exception_amount) over (
            partition by daily.marketplace_code, daily.level_code, daily.fee_type, daily.currency_code
            order by daily.drift_date
            rows between unbounded preceding and current row
        ) as decimal(18, 2)) as cumulative_exception_amount,
        min(case when daily.exception_count > 0 then daily.drift_date end) over (
            partition by daily.marketplace_code, daily.level_code, daily.fee_type, daily.currency_code
            order by daily.drift_date
            rows between unbounded preceding and current row
        ) as open_since_date,
        coalesce(completeness.is_complete, false) as is_complete
    from daily
    left join completeness
        on
            daily.marketplace_code = completeness.marketplace_code
            and daily.level_code = completeness.level_code

)

select * from final

-- Grain: marketplace × level × code × age band × currency. What is not explained as of the run, by value and age since it became due:
-- since the deadline where there is one, else since the business day. What waits within its window has no code and is not due.
with

codes as (

    select * from {{ ref('stg_tieout__exception_codes') }}

),

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}

),

completeness as (

    select * from {{ ref('completeness') }}

),

open_items as (

    select
        compared.*,
        marketplaces.as_of_date,
        case
            when compared.due_at is not null
                then {{ local_date('compared.due_at', 'marketplaces.time_zone') }}
            else compared.subject_date
        end as due_date
    from {{ ref('int_matching__comparisons') }} as compared
    inner join marketplaces
        on compared.marketplace_code = marketplaces.marketplace_code
    where compared.status in ('EXCEPTION', 'TIMING') and not compared.is_consequence

),

aged as (

    select
        open_items.*,
        case when open_items.status = 'EXCEPTION' then open_items.exception_code end as open_code,
        abs(open_items.actual_amount - open_items.expected_amount) as difference,
        {{ days_between('open_items.due_date', 'open_items.as_of_date') }} as days_due
    from open_items

),

banded as (

    select
        aged.*,
        case
            when aged.status = 'TIMING' then 'NOT_DUE'
            when aged.days_due <= 7 then '0-7'
            when aged.days_due <= 15 then '8-15'
            when aged.days_due <= 30 then '16-30'
            when aged.days_due <= 45 then '31-45'
            when aged.days_due <= 60 then '46-60'
            when aged.days_due <= 90 then '61-90'
            else '90+'
        end as age_band
    from aged

),

ranked as (

    select
        banded.*,
        row_number() over (
            partition by
                banded.marketplace_code,
                banded.level_code,
                banded.open_code,
                banded.age_band,
                banded.currency_code
            order by banded.subject_date, banded.subject_type, banded.subject_id
        ) as item_number
    from banded

),

summed as (

    select
        ranked.marketplace_code,
        min(ranked.entity_code) as entity_code,
        ranked.level_code,
        ranked.open_code as exception_code,
        ranked.age_band,
        ranked.currency_code,
        count(*) as item_count,
        sum(ranked.difference) as open_amount,
        sum(ranked.actual_amount - ranked.expected_amount) as net_amount,
        min(ranked.subject_date) as oldest_date,
        min(ranked.as_of_date) as as_of_date,
        max(case when ranked.item_number = 1 then ranked.subject_id end) as oldest_subject_id
    from ranked
    group by
        ranked.marketplace_code,
        ranked.level_code,
        ranked.open_code,
        ranked.age_band,
        ranked.currency_code

),

final as (

    select
        summed.marketplace_code,
        summed.entity_code,
        summed.level_code,
        summed.exception_code,
        codes.owner_team,
        summed.age_band,
        summed.currency_code,
        cast(summed.item_count as integer) as item_count,
        cast(summed.open_amount as decimal(18, 2)) as open_amount,
        cast(summed.net_amount as decimal(18, 2)) as net_amount,
        summed.oldest_date,
        cast({{ days_between('summed.oldest_date', 'summed.as_of_date') }} as integer) as oldest_days,
        summed.oldest_subject_id,
        coalesce(completeness.is_complete, false) as is_complete
    from summed
    left join codes
        on summed.exception_code = codes.exception_code
    left join completeness
        on
            summed.marketplace_code = completeness.marketplace_code
            and summed.level_code = completeness.level_code

)

select * from final

-- Grain: day × marketplace × level × fee type × currency. How far the two sides are apart on that day's business, how many comparisons
-- stand open, and since which day the fee type has been apart without a break in its open items. Day = business day of the subject.
with

orders as (

    select
        orders.marketplace_code,
        orders.order_id,
        orders.order_date
    from {{ ref('int_ledger__orders') }} as orders

),

compared as (

    select
        rec_orders.marketplace_code,
        rec_orders.entity_code,
        'a' as level_code,
        'ORDER' as fee_type,
        orders.order_date as drift_date,
        rec_orders.currency_code,
        rec_orders.status,
        rec_orders.expected_amount,
        rec_orders.actual_amount
    from {{ ref('rec_orders') }} as rec_orders
    inner join orders
        on
            rec_orders.marketplace_code = orders.marketplace_code
            and rec_orders.order_id = orders.order_id
    union all
    select
        rec_settlement_lines.marketplace_code,
        rec_settlement_lines.entity_code,
        'b' as level_code,
        rec_settlement_lines.fee_type,
        rec_settlement_lines.subject_date as drift_date,
        rec_settlement_lines.currency_code,
        rec_settlement_lines.status,
        rec_settlement_lines.expected_amount,
        rec_settlement_lines.actual_amount
    from {{ ref('rec_settlement_lines') }} as rec_settlement_lines
    union all
    select
        rec_cycles.marketplace_code,
        rec_cycles.entity_code,
        'c' as level_code,
        'PAYOUT' as fee_type,
        rec_cycles.subject_date as drift_date,
        rec_cycles.currency_code,
        rec_cycles.status,
        rec_cycles.expected_amount,
        rec_cycles.actual_amount
    from {{ ref('rec_cycles') }} as rec_cycles
    where rec_cycles.rule_code in ('C010_IDENTITY', 'C020_PAY_OUT')
    union all
    select
        rec_documents.marketplace_code,
        rec_documents.entity_code,
        'd' as level_code,
        rec_documents.subject_type as fee_type,
        rec_documents.subject_date as drift_date,
        rec_documents.currency_code,
        rec_documents.status,
        rec_documents.expected_amount,
        rec_documents.actual_amount
    from {{ ref('rec_documents') }} as rec_documents
    union all
    select
        rec_receipts.marketplace_code,
        rec_receipts.entity_code,
        'e' as level_code,
        rec_receipts.subject_type as fee_type,
        rec_receipts.subject_date as drift_date,
        rec_receipts.currency_code,
        rec_receipts.status,
        rec_receipts.expected_amount,
        rec_receipts.actual_amount
    from {{ ref('rec_receipts') }} as rec_receipts
    union all
    select
        rec_journals.marketplace_code,
        rec_journals.entity_code,
        'f' as level_code,
        coalesce(rec_journals.kind, 'UNEXPECTED') as fee_type,
        rec_journals.subject_date as drift_date,
        rec_journals.currency_code,
        rec_journals.status,
        rec_journals.expected_amount,
        rec_journals.actual_amount
    from {{ ref('rec_journals') }} as rec_journals

),

daily as (

    select
        compared.marketplace_code,
        compared.entity_code,
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
        compared.entity_code,
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
        ) as open_since_date
    from daily

)

select * from final

-- Grain: receipt × pay-out that a rule decided. cash + fee - excess + exchange = cleared, in the pay-out's currency.
with

decided as (

    select * from {{ ref('int_matching__receipts_decided') }}
    where is_decided

),

receipts as (

    select * from {{ ref('int_matching__receipts') }}

),

final as (

    select
        decided.marketplace_code,
        receipts.entity_code,
        decided.receipt_id,
        decided.billing_cycle_id,
        decided.rule_code,
        decided.group_id,
        receipts.value_date,
        coalesce(decided.cleared_currency_code, receipts.currency_code) as currency_code,
        decided.cash_amount,
        decided.fee_amount,
        decided.excess_amount,
        decided.exchange_amount,
        decided.cleared_amount,
        decided.received_amount,
        receipts.currency_code as received_currency_code
    from decided
    inner join receipts
        on decided.receipt_id = receipts.receipt_id

)

select * from final

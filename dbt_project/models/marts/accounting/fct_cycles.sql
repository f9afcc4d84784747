-- Grain: billing cycle: opening + net + break = pay-out + closing, with the document trail of its money. Marketplace's view.
with

cycles as (

    select * from {{ ref('int_matching__cycles') }}

),

journals as (

    select * from {{ ref('int_accounting__journals') }}

),

received as (

    select
        decided.marketplace_code,
        decided.billing_cycle_id,
        sum(decided.cash_amount) as received_amount,
        sum(decided.fee_amount) as bank_fee_amount
    from {{ ref('int_matching__receipts_decided') }} as decided
    where decided.is_decided
    group by decided.marketplace_code, decided.billing_cycle_id

),

final as (

    select
        cycles.marketplace_code,
        cycles.entity_code,
        cycles.shop_id,
        cycles.billing_cycle_id,
        cast(cycles.cycle_number as integer) as cycle_number,
        cycles.cycle_date,
        cycles.created_at,
        cycles.currency_code,
        cycles.is_declared,
        cycles.pay_out_state,
        cycles.pay_out_date,
        cycles.pay_out_reference,
        cycles.pay_out_failure_reason,
        cycles.voucher_number,
        cycles.document_number,
        cast(cycles.line_count as integer) as line_count,
        cycles.opening_amount,
        cycles.net_amount,
        cycles.break_amount,
        cycles.payout_amount,
        cycles.closing_amount,
        cycles.identity_code,
        cycles.paying_cycle_id,
        cast(coalesce(received.received_amount, 0) as decimal(18, 2)) as received_amount,
        cast(coalesce(received.bank_fee_amount, 0) as decimal(18, 2)) as bank_fee_amount,
        journals.journal_key
    from cycles
    left join journals
        on
            cycles.marketplace_code = journals.marketplace_code
            and cycles.billing_cycle_id = journals.billing_cycle_id
    left join received
        on
            cycles.marketplace_code = received.marketplace_code
            and cycles.billing_cycle_id = received.billing_cycle_id

)

select * from final

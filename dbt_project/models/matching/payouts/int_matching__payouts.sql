-- Grain: one pay-out that must arrive on a bank account of ours, named by the cycle that pays it. It may carry the balances of
-- earlier cycles (PAY-006). What an operator pays to its sellers arrives elsewhere.
with

cycles as (

    select * from {{ ref('int_matching__cycles') }}

),

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}

),

final as (

    select
        cycles.marketplace_code,
        cycles.entity_code,
        cycles.billing_cycle_id,
        cycles.currency_code,
        cycles.payout_amount,
        cycles.pay_out_state,
        coalesce(cycles.pay_out_date, cycles.cycle_date) as pay_out_date,
        cycles.pay_out_reference,
        cycles.voucher_number,
        cycles.document_number,
        cycles.cycle_date,
        marketplaces.bank_account_code
    from cycles
    inner join marketplaces
        on cycles.marketplace_code = marketplaces.marketplace_code
    where marketplaces.has_bank and cycles.payout_amount > 0

)

select * from final

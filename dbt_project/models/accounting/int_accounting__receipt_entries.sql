-- Grain: receipt × account role × side. The receipt journal: cash and an identified bank fee clear what the marketplace owed. A
-- receipt that needs a person (duplicate, unknown, ambiguous, contradicting, wrong account) makes no entry. What is over-paid goes
-- to clearing as an item of its own; what an exchange on the way lost (debit) or won is an exchange difference. net_debit = debit -
-- credit.
{{ config(schema='accounting', materialized='table') }}

with

allocations as (

    select * from {{ ref('int_matching__receipts_decided') }}

),

receipts as (

    select * from {{ ref('int_matching__receipts') }}
    where match_scope = 'OPEN'

),

allocated as (

    select
        allocations.receipt_id,
        cast(sum(allocations.cash_amount) as decimal(18, 2)) as cash_amount,
        cast(sum(allocations.fee_amount) as decimal(18, 2)) as fee_amount,
        cast(sum(allocations.excess_amount) as decimal(18, 2)) as excess_amount,
        cast(sum(allocations.exchange_amount) as decimal(18, 2)) as exchange_amount,
        cast(sum(allocations.cleared_amount) as decimal(18, 2)) as cleared_amount,
        -- A foreign pay-out that the bank exchanged is booked in its own currency; what came of it is the functional amount.
        max(allocations.cleared_currency_code) as cleared_currency_code
    from allocations
    group by allocations.receipt_id
    having max(case when allocations.is_decided then 0 else 1 end) = 0

),

entries as (

    select
        allocated.receipt_id,
        'BANK' as account_role,
        'NET' as side,
        allocated.cash_amount as net_debit,
        10 as line_group
    from allocated
    union all
    select
        allocated.receipt_id,
        'BANK_CHARGES' as account_role,
        'NET' as side,
        allocated.fee_amount as net_debit,
        20 as line_group
    from allocated
    union all
    select
        allocated.receipt_id,
        'FX_REALISED' as account_role,
        'NET' as side,
        allocated.exchange_amount as net_debit,
        25 as line_group
    from allocated
    union all
    select
        allocated.receipt_id,
        'MARKETPLACE_CLEARING' as account_role,
        'PAYOUT' as side,
        -allocated.cleared_amount as net_debit,
        30 as line_group
    from allocated
    union all
    select
        allocated.receipt_id,
        'MARKETPLACE_CLEARING' as account_role,
        'EXCESS' as side,
        -allocated.excess_amount as net_debit,
        40 as line_group
    from allocated

),

final as (

    select
        receipts.entity_code,
        receipts.marketplace_code,
        'PAYOUT_RECEIPT' as kind,
        entries.receipt_id as document_id,
        receipts.value_date as posting_date,
        coalesce(allocated.cleared_currency_code, receipts.currency_code) as currency_code,
        entries.account_role,
        cast(null as varchar) as tax_base_role,
        cast(null as varchar) as tax_code,
        entries.side,
        cast(entries.net_debit as decimal(18, 2)) as net_debit,
        entries.line_group
    from entries
    inner join receipts
        on entries.receipt_id = receipts.receipt_id
    inner join allocated
        on entries.receipt_id = allocated.receipt_id
    where entries.net_debit <> 0

)

select * from final

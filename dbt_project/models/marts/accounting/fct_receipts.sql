-- Grain: bank entry with money in. Those that concern a marketplace carry their match; the others are listed as out of scope, so that
-- every receipt of the statement is accounted for. The text of the entry is left out: it may name a person.
with

receipts as (

    select * from {{ ref('int_matching__receipts') }}
    where match_scope <> 'NOT_A_RECEIPT'

),

results as (

    select * from {{ ref('rec_receipts') }}
    where subject_type = 'RECEIPT'

),

allocated as (

    select
        decided.receipt_id,
        sum(decided.received_amount) as allocated_amount,
        sum(decided.fee_amount) as bank_fee_amount,
        sum(decided.excess_amount) as excess_amount
    from {{ ref('int_matching__receipts_decided') }} as decided
    where decided.is_decided
    group by decided.receipt_id

),

journals as (

    select * from {{ ref('int_accounting__journals') }}
    where kind = 'PAYOUT_RECEIPT'

),

final as (

    select
        receipts.marketplace_code,
        receipts.entity_code,
        receipts.receipt_id,
        receipts.bank_account_code,
        receipts.receipt_source,
        receipts.value_date,
        receipts.booking_date,
        receipts.amount,
        receipts.currency_code,
        receipts.is_from_payer,
        coalesce(results.status, 'EXCLUDED') as match_status,
        results.exception_code,
        results.rule_code,
        cast(coalesce(allocated.allocated_amount, 0) as decimal(18, 2)) as allocated_amount,
        cast(coalesce(allocated.bank_fee_amount, 0) as decimal(18, 2)) as bank_fee_amount,
        cast(coalesce(allocated.excess_amount, 0) as decimal(18, 2)) as excess_amount,
        journals.journal_key
    from receipts
    left join results
        on receipts.receipt_id = results.subject_id
    left join allocated
        on receipts.receipt_id = allocated.receipt_id
    left join journals
        on receipts.receipt_id = journals.receipt_id

)

select * from final

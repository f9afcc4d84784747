-- Grain: one bank receipt, with the marketplace that it concerns and whether it may be matched automatically at all.
-- A receipt concerns a marketplace when an approved payer sent it, when its text names one of the pay-outs or when a person says so;
-- what a person matched is no duplicate.
with

receipts as (

    select * from {{ ref('int_ledger__receipts') }}

),

references_found as (

    select
        receipt_references.receipt_id,
        min(receipt_references.marketplace_code) as marketplace_code
    from {{ ref('int_matching__receipt_references') }} as receipt_references
    group by receipt_references.receipt_id

),

matched_by_person as (

    select
        pair_decisions.receipt_id,
        min(pair_decisions.marketplace_code) as marketplace_code
    from {{ ref('int_matching__pair_decisions') }} as pair_decisions
    where pair_decisions.verdict = 'MATCH'
    group by pair_decisions.receipt_id

),

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}

),

entries as (

    select
        receipts.receipt_id,
        receipts.bank_account_code,
        receipts.value_date,
        receipts.booking_date,
        receipts.amount,
        receipts.currency_code,
        receipts.original_amount,
        receipts.original_currency_code,
        receipts.receipt_source,
        receipts.counterparty_name,
        receipts.is_from_payer,
        receipts.entity_code as account_entity_code,
        coalesce(
            matched_by_person.marketplace_code, receipts.marketplace_code, references_found.marketplace_code
        ) as marketplace_code,
        matched_by_person.receipt_id is not null as is_matched_by_person,
        {{ reference_words(
            "coalesce(receipts.remittance_information, '') || ' ' || coalesce(receipts.end_to_end_id, '')"
        ) }} as reference_words
    from receipts
    left join references_found
        on receipts.receipt_id = references_found.receipt_id
    left join matched_by_person
        on receipts.receipt_id = matched_by_person.receipt_id

),

copies as (

    -- The bank's own entry delivered twice under another number: same account, day, amount and text. Equal amounts with
    -- different texts, or on different days, are two receipts.
    select
        entries.*,
        row_number() over (
            partition by
                entries.bank_account_code,
                entries.value_date,
                entries.amount,
                entries.currency_code,
                entries.reference_words
            order by entries.booking_date, entries.receipt_id
        ) as copy_number,
        min(entries.receipt_id) over (
            partition by
                entries.bank_account_code,
                entries.value_date,
                entries.amount,
                entries.currency_code,
                entries.reference_words
        ) as original_receipt_id
    from entries

),

final as (

    select
        copies.receipt_id,
        copies.bank_account_code,
        copies.value_date,
        copies.booking_date,
        copies.amount,
        copies.currency_code,
        copies.original_amount,
        copies.original_currency_code,
        copies.receipt_source,
        copies.counterparty_name,
        copies.is_from_payer,
        copies.marketplace_code,
        coalesce(marketplaces.entity_code, copies.account_entity_code) as entity_code,
        copies.reference_words,
        copies.original_receipt_id,
        case
            when copies.amount <= 0 then 'NOT_A_RECEIPT'
            when copies.marketplace_code is null then 'NOT_A_MARKETPLACE'
            when copies.value_date < marketplaces.go_live_date then 'BEFORE_GO_LIVE'
            when copies.copy_number > 1 and not copies.is_matched_by_person then 'DUPLICATE'
            when copies.bank_account_code is null or copies.bank_account_code <> marketplaces.bank_account_code
                then 'WRONG_ACCOUNT'
            else 'OPEN'
        end as match_scope
    from copies
    left join marketplaces
        on copies.marketplace_code = marketplaces.marketplace_code

)

select * from final

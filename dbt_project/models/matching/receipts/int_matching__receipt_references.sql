-- Grain: receipt × pay-out that the receipt's text names, by voucher, document, pay-out reference or cycle id.
-- References are compared word by word, so that PV-42 is not found in PV-421; a reference of ten characters or more is also
-- found when the bank has dropped its separators. A pair that a person has refused is not named.
with

receipts as (

    select * from {{ ref('int_ledger__receipts') }}

),

payouts as (

    select * from {{ ref('int_matching__payouts') }}

),

refused as (

    select * from {{ ref('int_matching__pair_decisions') }}
    where verdict = 'UNMATCH'

),

payout_references as (

    select
        payouts.marketplace_code,
        payouts.billing_cycle_id,
        payouts.voucher_number as reference_text
    from payouts
    union
    select
        payouts.marketplace_code,
        payouts.billing_cycle_id,
        payouts.document_number as reference_text
    from payouts
    union
    select
        payouts.marketplace_code,
        payouts.billing_cycle_id,
        payouts.pay_out_reference as reference_text
    from payouts
    union
    select
        payouts.marketplace_code,
        payouts.billing_cycle_id,
        payouts.billing_cycle_id as reference_text
    from payouts

),

payout_words as (

    select
        payout_references.marketplace_code,
        payout_references.billing_cycle_id,
        {{ reference_words('payout_references.reference_text') }} as words,
        replace({{ reference_words('payout_references.reference_text') }}, ' ', '') as letters
    from payout_references
    where length(payout_references.reference_text) >= 4

),

{% set words = reference_words(
    "coalesce(receipts.remittance_information, '') || ' ' || coalesce(receipts.end_to_end_id, '')"
) -%}
receipt_words as (

    select
        receipts.receipt_id,
        receipts.marketplace_code,
        {{ words }} as words,
        replace({{ words }}, ' ', '') as letters
    from receipts
    where receipts.amount > 0

),

final as (

    select distinct
        receipt_words.receipt_id,
        payout_words.marketplace_code,
        payout_words.billing_cycle_id
    from receipt_words
    inner join payout_words
        on
            coalesce(receipt_words.marketplace_code, payout_words.marketplace_code) = payout_words.marketplace_code
            and (
                position(payout_words.words in receipt_words.words) > 0
                or (
                    length(payout_words.letters) >= 10
                    and position(payout_words.letters in receipt_words.letters) > 0
                )
            )
    left join refused
        on
            receipt_words.receipt_id = refused.receipt_id
            and payout_words.marketplace_code = refused.marketplace_code
            and payout_words.billing_cycle_id = refused.billing_cycle_id
    where refused.receipt_id is null

)

select * from final

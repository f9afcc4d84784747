-- Grain: receipt × pay-out that the rules may bring together: the receipt names the pay-out, or it comes from an approved payer (or
-- names another pay-out) within the longest window, one day before to ten days after the pay-out date. What a person matched is out
-- of the rules' hands, and so is a pair that a person has refused.
with

receipts as (

    select * from {{ ref('int_matching__receipts') }}
    where match_scope = 'OPEN'

),

payouts as (

    select * from {{ ref('int_matching__payouts') }}

),

receipt_references as (

    select * from {{ ref('int_matching__receipt_references') }}

),

naming_receipts as (

    select distinct receipt_references.receipt_id
    from receipt_references

),

refused as (

    select * from {{ ref('int_matching__pair_decisions') }}
    where verdict = 'UNMATCH'

),

matched_by_person as (

    select * from {{ ref('int_matching__receipts_rule_005_person') }}

),

open_receipts as (

    select
        receipts.*,
        case when naming_receipts.receipt_id is null then 0 else 1 end as has_name
    from receipts
    left join naming_receipts
        on receipts.receipt_id = naming_receipts.receipt_id
    where
        not exists (
            select 1 from matched_by_person
            where matched_by_person.receipt_id = receipts.receipt_id
        )

),

open_payouts as (

    select payouts.*
    from payouts
    where
        not exists (
            select 1 from matched_by_person
            where
                matched_by_person.marketplace_code = payouts.marketplace_code
                and matched_by_person.billing_cycle_id = payouts.billing_cycle_id
        )

),

pairs as (

    select
        open_receipts.receipt_id,
        open_receipts.value_date,
        open_receipts.amount as receipt_amount,
        open_receipts.currency_code as receipt_currency_code,
        open_receipts.original_amount,
        open_receipts.original_currency_code,
        open_receipts.is_from_payer,
        open_receipts.has_name,
        open_payouts.marketplace_code,
        open_payouts.billing_cycle_id,
        open_payouts.payout_amount,
        open_payouts.currency_code as payout_currency_code,
        open_payouts.pay_out_date,
        case when receipt_references.receipt_id is null then 0 else 1 end as is_named
    from open_receipts
    inner join open_payouts
        on open_receipts.marketplace_code = open_payouts.marketplace_code
    left join receipt_references
        on
            open_receipts.receipt_id = receipt_references.receipt_id
            and open_payouts.marketplace_code = receipt_references.marketplace_code
            and open_payouts.billing_cycle_id = receipt_references.billing_cycle_id
    where
        receipt_references.receipt_id is not null
        or (
            (open_receipts.is_from_payer or open_receipts.has_name = 1)
            and open_receipts.value_date >= {{ add_days('open_payouts.pay_out_date', '-1') }}
            and open_receipts.value_date <= {{ add_days('open_payouts.pay_out_date', '10') }}
        )

),

final as (

    select
        pairs.*,
        pairs.value_date >= {{ add_days('pairs.pay_out_date', '-1') }}
        and pairs.value_date <= {{ add_days('pairs.pay_out_date', '7') }} as is_in_window
    from pairs
    left join refused
        on
            pairs.receipt_id = refused.receipt_id
            and pairs.marketplace_code = refused.marketplace_code
            and pairs.billing_cycle_id = refused.billing_cycle_id
    where refused.receipt_id is null

)

select * from final

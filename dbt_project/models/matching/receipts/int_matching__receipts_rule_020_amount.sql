-- Proposes: receipt from an approved payer and pay-out with equal amounts, the value date from one day before to seven days after
-- the pay-out date. Decided only when each is the other's single candidate; else a person chooses (BNK-011). A receipt whose
-- text names another pay-out than the amount suggests is left to a person as well (BNK-008).
with

candidates as (

    select * from {{ ref('int_matching__receipt_candidates') }}
    where is_in_window and receipt_currency_code = payout_currency_code and receipt_amount = payout_amount

),

earlier as (

    select * from {{ ref('int_matching__receipts_rule_010_reference') }}

),

pairs as (

    select
        candidates.receipt_id,
        candidates.marketplace_code,
        candidates.billing_cycle_id,
        candidates.receipt_amount as cash_amount,
        -- The pair itself is not named, or rule 010 would have taken it.
        candidates.has_name,
        count(*) over (partition by candidates.receipt_id) as payout_count,
        count(*) over (partition by candidates.marketplace_code, candidates.billing_cycle_id) as receipt_count
    from candidates
    where
        not exists (
            select 1 from earlier
            where earlier.receipt_id = candidates.receipt_id
        )
        and not exists (
            select 1 from earlier
            where
                earlier.marketplace_code = candidates.marketplace_code
                and earlier.billing_cycle_id = candidates.billing_cycle_id
        )

),

final as (

    select
        pairs.receipt_id,
        pairs.marketplace_code,
        pairs.billing_cycle_id,
        'E020_AMOUNT' as rule_code,
        pairs.receipt_id as group_id,
        pairs.cash_amount,
        cast(0 as decimal(18, 2)) as fee_amount,
        cast(0 as decimal(18, 2)) as excess_amount,
        case
            when pairs.has_name = 1 then 'BNK-008'
            when pairs.payout_count > 1 or pairs.receipt_count > 1 then 'BNK-011'
        end as undecided_code
    from pairs

)

select * from final

-- Proposes: receipt that is short of a pay-out by what a bank may keep: at most the fee cap and the stated percentage of the
-- pay-out. The receipt names the pay-out, or each is the other's single candidate from an approved payer inside the window. Of money
-- that was exchanged on its way no fee is guessed.
with

candidates as (

    select * from {{ ref('int_matching__receipt_candidates') }}
    where
        receipt_currency_code = payout_currency_code
        and receipt_amount < payout_amount
        and original_currency_code is null
        and (is_named = 1 or (is_from_payer and is_in_window))

),

fee_pattern as (

    select
        tolerances.currency_code,
        tolerances.effective_from,
        tolerances.amount,
        tolerances.percent
    from {{ ref('stg_tieout__tolerances') }} as tolerances
    where tolerances.test_code = 'BANK_FEE'

),

earlier as (

    select
        rules.receipt_id,
        rules.marketplace_code,
        rules.billing_cycle_id
    from {{ ref('int_matching__receipts_rule_010_reference') }} as rules
    union all
    select
        rules.receipt_id,
        rules.marketplace_code,
        rules.billing_cycle_id
    from {{ ref('int_matching__receipts_rule_020_amount') }} as rules
    union all
    select
        rules.receipt_id,
        rules.marketplace_code,
        rules.billing_cycle_id
    from {{ ref('int_matching__receipts_rule_030_many_payouts') }} as rules
    union all
    select
        rules.receipt_id,
        rules.marketplace_code,
        rules.billing_cycle_id
    from {{ ref('int_matching__receipts_rule_040_many_receipts') }} as rules

),

near_amounts as (

    select
        candidates.receipt_id,
        candidates.marketplace_code,
        candidates.billing_cycle_id,
        candidates.receipt_amount as cash_amount,
        candidates.payout_amount - candidates.receipt_amount as fee_amount,
        candidates.is_named,
        row_number() over (
            partition by candidates.receipt_id, candidates.marketplace_code, candidates.billing_cycle_id
            order by fee_pattern.effective_from desc
        ) as pattern_number,
        fee_pattern.amount as fee_cap,
        fee_pattern.percent as fee_percent,
        candidates.payout_amount
    from candidates
    inner join fee_pattern
        on
            (candidates.receipt_currency_code = fee_pattern.currency_code or fee_pattern.currency_code = '*')
            and candidates.value_date >= fee_pattern.effective_from
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

pairs as (

    select
        near_amounts.*,
        count(*) over (partition by near_amounts.receipt_id) as payout_count,
        count(*) over (partition by near_amounts.marketplace_code, near_amounts.billing_cycle_id) as receipt_count,
        sum(near_amounts.is_named) over (partition by near_amounts.receipt_id) as named_payout_count,
        sum(near_amounts.is_named) over (
            partition by near_amounts.marketplace_code, near_amounts.billing_cycle_id
        ) as named_receipt_count
    from near_amounts
    where
        near_amounts.pattern_number = 1
        and near_amounts.fee_amount <= near_amounts.fee_cap
        and near_amounts.fee_amount * 100 <= near_amounts.payout_amount * near_amounts.fee_percent

),

final as (

    select
        pairs.receipt_id,
        pairs.marketplace_code,
        pairs.billing_cycle_id,
        'E050_BANK_FEE' as rule_code,
        pairs.receipt_id as group_id,
        pairs.cash_amount,
        cast(pairs.fee_amount as decimal(18, 2)) as fee_amount,
        cast(0 as decimal(18, 2)) as excess_amount,
        case
            when pairs.is_named = 1 and pairs.named_payout_count = 1 and pairs.named_receipt_count = 1 then null
            when pairs.named_payout_count = 0 and pairs.payout_count = 1 and pairs.receipt_count = 1 then null
            else 'BNK-011'
        end as undecided_code
    from pairs
    -- A named pair beats pairs that only look alike.
    where pairs.is_named = 1 or (pairs.named_payout_count = 0 and pairs.named_receipt_count = 0)

)

select * from final

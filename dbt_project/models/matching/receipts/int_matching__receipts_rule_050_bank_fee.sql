-- Proposes: receipt that is short of a pay-out by what a bank may keep: at most the fee cap and the stated percentage of the
-- pay-out. The receipt names the pay-out, or each is the other's single candidate from an approved payer inside the window. Of money
-- that was exchanged on its way no fee is guessed.
with

receipts as (

    select * from {{ ref('int_matching__receipts') }}
    where match_scope = 'OPEN' and original_currency_code is null

),

payouts as (

    select * from {{ ref('int_matching__payouts') }}

),

receipt_references as (

    select * from {{ ref('int_matching__receipt_references') }}

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

    select * from {{ ref('int_matching__receipts_rule_010_reference') }}
    union all
    select * from {{ ref('int_matching__receipts_rule_020_amount') }}
    union all
    select * from {{ ref('int_matching__receipts_rule_030_many_payouts') }}
    union all
    select * from {{ ref('int_matching__receipts_rule_040_many_receipts') }}

),

near_amounts as (

    select
        receipts.receipt_id,
        payouts.marketplace_code,
        payouts.billing_cycle_id,
        receipts.amount as cash_amount,
        payouts.payout_amount - receipts.amount as fee_amount,
        case when receipt_references.receipt_id is not null then 1 else 0 end as is_named,
        row_number() over (
            partition by receipts.receipt_id, payouts.marketplace_code, payouts.billing_cycle_id
            order by fee_pattern.effective_from desc
        ) as pattern_number,
        fee_pattern.amount as fee_cap,
        fee_pattern.percent as fee_percent,
        payouts.payout_amount
    from receipts
    inner join payouts
        on
            receipts.marketplace_code = payouts.marketplace_code
            and receipts.currency_code = payouts.currency_code
            and receipts.amount < payouts.payout_amount
    inner join fee_pattern
        on
            (receipts.currency_code = fee_pattern.currency_code or fee_pattern.currency_code = '*')
            and receipts.value_date >= fee_pattern.effective_from
    left join receipt_references
        on
            receipts.receipt_id = receipt_references.receipt_id
            and payouts.marketplace_code = receipt_references.marketplace_code
            and payouts.billing_cycle_id = receipt_references.billing_cycle_id
    where
        (
            receipt_references.receipt_id is not null
            or (
                receipts.is_from_payer
                and receipts.value_date >= {{ add_days('payouts.pay_out_date', '-1') }}
                and receipts.value_date <= {{ add_days('payouts.pay_out_date', '7') }}
            )
        )
        and not exists (
            select 1 from earlier
            where earlier.receipt_id = receipts.receipt_id
        )
        and not exists (
            select 1 from earlier
            where
                earlier.marketplace_code = payouts.marketplace_code
                and earlier.billing_cycle_id = payouts.billing_cycle_id
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

-- Proposes: receipt that was exchanged on its way, and the pay-out that it names or, from an approved payer inside the longer window of
-- foreign money, the only one that it can be. What is short or over is an exchange difference as long as the rate that it implies is
-- within BANK_FX of the reference; beyond it a person decides (BNK-009). A pay-out and a receipt in one currency ought to be one to
-- one, whatever lies between; for two currencies there is no reference here, so a person decides as well. No fee is guessed.
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

tolerance as (

    select
        tolerances.currency_code,
        tolerances.effective_from,
        tolerances.percent
    from {{ ref('stg_tieout__tolerances') }} as tolerances
    where tolerances.test_code = 'BANK_FX'

),

earlier as (

    select * from {{ ref('int_matching__receipts_rule_010_reference') }}
    union all
    select * from {{ ref('int_matching__receipts_rule_020_amount') }}
    union all
    select * from {{ ref('int_matching__receipts_rule_030_many_payouts') }}
    union all
    select * from {{ ref('int_matching__receipts_rule_040_many_receipts') }}
    union all
    select * from {{ ref('int_matching__receipts_rule_050_bank_fee') }}

),

pairs as (

    select
        receipts.receipt_id,
        payouts.marketplace_code,
        payouts.billing_cycle_id,
        receipts.value_date,
        receipts.currency_code,
        receipts.amount as cash_amount,
        payouts.payout_amount,
        case when receipt_references.receipt_id is not null then 1 else 0 end as is_named,
        -- The bank says that exactly this was sent, or both sides are in one currency and only the way was foreign.
        case when receipts.currency_code = payouts.currency_code then 1 else 0 end as is_comparable
    from receipts
    inner join payouts
        on
            receipts.marketplace_code = payouts.marketplace_code
            and (
                (receipts.original_currency_code is not null and receipts.currency_code = payouts.currency_code)
                or (
                    receipts.currency_code <> payouts.currency_code
                    and coalesce(receipts.original_currency_code, payouts.currency_code) = payouts.currency_code
                    and coalesce(receipts.original_amount, payouts.payout_amount) = payouts.payout_amount
                )
            )
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
                and receipts.value_date <= {{ add_days('payouts.pay_out_date', '10') }}
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

named_first as (

    select
        pairs.*,
        max(pairs.is_named) over (partition by pairs.receipt_id) as has_name,
        max(pairs.is_named) over (partition by pairs.marketplace_code, pairs.billing_cycle_id) as has_naming_receipt
    from pairs

),

counted as (

    -- A named pair beats pairs that only look alike.
    select
        named_first.*,
        count(*) over (partition by named_first.receipt_id) as payout_count,
        count(*) over (partition by named_first.marketplace_code, named_first.billing_cycle_id) as receipt_count
    from named_first
    where named_first.is_named = 1 or (named_first.has_name = 0 and named_first.has_naming_receipt = 0)

),

tolerated as (

    select
        counted.receipt_id,
        counted.marketplace_code,
        counted.billing_cycle_id,
        tolerance.percent,
        row_number() over (
            partition by counted.receipt_id, counted.marketplace_code, counted.billing_cycle_id
            order by
                case when tolerance.currency_code = '*' then 1 else 0 end,
                tolerance.effective_from desc
        ) as choice_number
    from counted
    inner join tolerance
        on
            (counted.currency_code = tolerance.currency_code or tolerance.currency_code = '*')
            and counted.value_date >= tolerance.effective_from

),

final as (

    select
        counted.receipt_id,
        counted.marketplace_code,
        counted.billing_cycle_id,
        'E055_CURRENCY' as rule_code,
        counted.receipt_id as group_id,
        counted.cash_amount,
        cast(0 as decimal(18, 2)) as fee_amount,
        cast(0 as decimal(18, 2)) as excess_amount,
        case
            when counted.is_comparable = 1 then cast(counted.payout_amount - counted.cash_amount as decimal(18, 2))
            else cast(0 as decimal(18, 2))
        end as exchange_amount,
        case
            when counted.payout_count > 1 or counted.receipt_count > 1 then 'BNK-011'
            when
                counted.is_comparable = 0
                or tolerated.percent is null
                or abs(counted.payout_amount - counted.cash_amount) * 100 > counted.payout_amount * tolerated.percent
                then 'BNK-009'
        end as undecided_code
    from counted
    left join tolerated
        on
            counted.receipt_id = tolerated.receipt_id
            and counted.marketplace_code = tolerated.marketplace_code
            and counted.billing_cycle_id = tolerated.billing_cycle_id
            and tolerated.choice_number = 1

)

select * from final

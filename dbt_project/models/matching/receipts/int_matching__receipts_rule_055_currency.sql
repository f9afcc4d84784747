-- Proposes: receipt that was exchanged on its way, and the pay-out that it names or, from an approved payer inside the longer window of
-- foreign money, the only one that it can be. What is short or over is an exchange difference as long as the rate that it implies is
-- within BANK_FX of the reference; beyond it a person decides (BNK-009). A pay-out and a receipt in one currency ought to be one to
-- one, whatever lies between; for two currencies there is no reference here, so a person decides as well. No fee is guessed.
with

candidates as (

    -- The bank says that exactly this was sent, or both sides are in one currency and only the way was foreign.
    select * from {{ ref('int_matching__receipt_candidates') }}
    where
        (is_named = 1 or is_from_payer)
        and (
            (original_currency_code is not null and receipt_currency_code = payout_currency_code)
            or (
                receipt_currency_code <> payout_currency_code
                and coalesce(original_currency_code, payout_currency_code) = payout_currency_code
                and coalesce(original_amount, payout_amount) = payout_amount
            )
        )

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
    union all
    select
        rules.receipt_id,
        rules.marketplace_code,
        rules.billing_cycle_id
    from {{ ref('int_matching__receipts_rule_050_bank_fee') }} as rules
    union all
    select
        rules.receipt_id,
        rules.marketplace_code,
        rules.billing_cycle_id
    from {{ ref('int_matching__receipts_rule_052_payouts_less_fee') }} as rules

),

pairs as (

    select
        candidates.receipt_id,
        candidates.marketplace_code,
        candidates.billing_cycle_id,
        candidates.value_date,
        candidates.receipt_currency_code as currency_code,
        candidates.receipt_amount as cash_amount,
        candidates.payout_amount,
        candidates.is_named,
        case when candidates.receipt_currency_code = candidates.payout_currency_code then 1 else 0 end as is_comparable
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

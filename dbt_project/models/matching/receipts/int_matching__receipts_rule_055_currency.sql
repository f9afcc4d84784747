-- Proposes: receipt that was exchanged on its way, and the pay-out that it names or, from an approved payer inside the longer window of
-- foreign money, the only one that it can be. Within BANK_FX of the reference the difference is one of exchange; beyond it a person
-- decides (BNK-009). A pay-out and a receipt in one currency ought to be one to one, whatever lies between. Between a foreign pay-out and
-- a receipt in the entity's own currency lies the reference rate of the value date: what was paid out is then cleared as a whole, and
-- received_amount is what came of it. Of pairs without a name those that fit the rate go before the others; two that fit are BNK-011.
-- Without a reference a person decides as well. No fee is guessed.
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

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}

),

daily_rates as (

    select * from {{ ref('int_ledger__daily_rates') }}

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
        candidates.receipt_amount,
        candidates.payout_amount,
        candidates.payout_currency_code,
        candidates.is_named,
        case
            when candidates.receipt_currency_code = candidates.payout_currency_code then 1 else 0
        end as is_one_currency,
        case
            when candidates.receipt_currency_code = candidates.payout_currency_code then candidates.payout_amount
            else {{ functional_money(
                'candidates.payout_amount', 'daily_rates.reference_rate', 'daily_rates.functional_currency'
            ) }}
        end as expected_amount
    from candidates
    inner join marketplaces
        on candidates.marketplace_code = marketplaces.marketplace_code
    left join daily_rates
        on
            marketplaces.entity_code = daily_rates.entity_code
            and candidates.payout_currency_code = daily_rates.currency_code
            and candidates.receipt_currency_code = daily_rates.functional_currency
            and candidates.value_date = daily_rates.rate_day
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

tolerated as (

    select
        pairs.*,
        tolerance.percent,
        row_number() over (
            partition by pairs.receipt_id, pairs.marketplace_code, pairs.billing_cycle_id
            order by
                case when tolerance.currency_code = '*' then 1 else 0 end,
                tolerance.effective_from desc
        ) as choice_number
    from pairs
    left join tolerance
        on
            (pairs.currency_code = tolerance.currency_code or tolerance.currency_code = '*')
            and pairs.value_date >= tolerance.effective_from

),

fitted as (

    select
        tolerated.*,
        case
            when
                abs(tolerated.expected_amount - tolerated.receipt_amount) * 100
                <= tolerated.expected_amount * tolerated.percent
                then 1
            else 0
        end as is_fitting
    from tolerated
    where tolerated.choice_number = 1

),

named_first as (

    -- A named pair beats pairs that only look alike, one that fits the rate beats one that does not.
    select
        fitted.*,
        10 * fitted.is_named + fitted.is_fitting as strength,
        max(10 * fitted.is_named + fitted.is_fitting) over (partition by fitted.receipt_id) as receipt_strength,
        max(10 * fitted.is_named + fitted.is_fitting)
            over (partition by fitted.marketplace_code, fitted.billing_cycle_id) as payout_strength
    from fitted

),

counted as (

    select
        named_first.*,
        count(*) over (partition by named_first.receipt_id) as payout_count,
        count(*) over (partition by named_first.marketplace_code, named_first.billing_cycle_id) as receipt_count
    from named_first
    where
        named_first.is_named = 1
        or (named_first.strength = named_first.receipt_strength and named_first.strength = named_first.payout_strength)

),

final as (

    select
        counted.receipt_id,
        counted.marketplace_code,
        counted.billing_cycle_id,
        'E055_CURRENCY' as rule_code,
        counted.receipt_id as group_id,
        case when counted.is_one_currency = 1 then counted.receipt_amount else counted.payout_amount end as cash_amount,
        cast(0 as decimal(18, 2)) as fee_amount,
        cast(0 as decimal(18, 2)) as excess_amount,
        case
            when counted.is_one_currency = 1 then cast(counted.payout_amount - counted.receipt_amount as decimal(18, 2))
            else cast(0 as decimal(18, 2))
        end as exchange_amount,
        counted.receipt_amount as received_amount,
        case when counted.is_one_currency = 0 then counted.payout_currency_code end as cleared_currency_code,
        case
            when counted.payout_count > 1 or counted.receipt_count > 1 then 'BNK-011'
            when counted.is_fitting = 0 then 'BNK-009'
        end as undecided_code
    from counted

)

select * from final

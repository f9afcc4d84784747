-- Proposes: one receipt for two to eight pay-outs that add up to it and to what a bank may keep of one transfer: at most the fee cap
-- and the stated percentage of their sum. Those that the receipt names are all in the set. The fee stands with the largest of them.
-- Undecided as in rule 030. Of money that was exchanged on its way no fee is guessed.
with

candidates as (

    select * from {{ ref('int_matching__receipt_candidates') }}
    where
        receipt_currency_code = payout_currency_code
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
    union all
    select
        rules.receipt_id,
        rules.marketplace_code,
        rules.billing_cycle_id
    from {{ ref('int_matching__receipts_rule_050_bank_fee') }} as rules

),

open_candidates as (

    select candidates.*
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

patterns as (

    select
        open_candidates.receipt_id,
        open_candidates.receipt_amount,
        fee_pattern.amount as fee_cap,
        fee_pattern.percent as fee_percent,
        row_number() over (
            partition by open_candidates.receipt_id
            order by
                case when fee_pattern.currency_code = '*' then 1 else 0 end,
                fee_pattern.effective_from desc
        ) as pattern_number
    from open_candidates
    inner join fee_pattern
        on
            (open_candidates.receipt_currency_code = fee_pattern.currency_code or fee_pattern.currency_code = '*')
            and open_candidates.value_date >= fee_pattern.effective_from

),

targets as (

    -- fee <= percent of (receipt + fee) is the same as fee * (100 - percent) <= receipt * percent.
    select
        patterns.receipt_id as target_id,
        patterns.receipt_amount as target_amount,
        cast(patterns.receipt_amount * 100 as bigint) + 1 as low_cents,
        cast(patterns.receipt_amount * 100 as bigint)
        + least(
            cast(patterns.fee_cap * 100 as bigint),
            {{ integer_divide(
                'cast(patterns.receipt_amount * 100 * patterns.fee_percent as bigint)',
                'cast(100 - patterns.fee_percent as bigint)'
            ) }}
        ) as high_cents,
        2 as min_size,
        8 as max_size
    from patterns
    where patterns.pattern_number = 1 and patterns.fee_percent < 100

),

items as (

    select
        open_candidates.receipt_id as target_id,
        open_candidates.marketplace_code || '|' || open_candidates.billing_cycle_id as item_id,
        open_candidates.marketplace_code,
        open_candidates.billing_cycle_id,
        open_candidates.payout_amount,
        cast(open_candidates.payout_amount * 100 as bigint) as cents,
        open_candidates.is_named,
        open_candidates.has_name,
        {{ days_between('open_candidates.pay_out_date', "date '2999-12-31'") }} as item_order
    from open_candidates

),

{{ covering_sets(is_exact=false) }},

members as (

    select
        items.target_id as receipt_id,
        items.marketplace_code,
        items.billing_cycle_id,
        items.payout_amount,
        targets.target_amount,
        items.has_name,
        items.is_named,
        case when found.is_complete then 0 else 1 end as is_bounded,
        case when found.set_count > 1 then 1 else 0 end as is_ambiguous,
        count(*) over (partition by items.marketplace_code, items.billing_cycle_id) as wanted_count,
        sum(items.payout_amount) over (partition by items.target_id) as paid_amount,
        row_number() over (
            partition by items.target_id
            order by items.payout_amount desc, items.item_id asc
        ) as size_number
    from found_members
    inner join items
        on found_members.target_id = items.target_id and found_members.item_id = items.item_id
    inner join found
        on found_members.target_id = found.target_id
    inner join targets
        on found_members.target_id = targets.target_id

),

final as (

    select
        members.receipt_id,
        members.marketplace_code,
        members.billing_cycle_id,
        'E052_PAYOUTS_LESS_FEE' as rule_code,
        members.receipt_id as group_id,
        cast(
            members.payout_amount
            - case when members.size_number = 1 then members.paid_amount - members.target_amount else 0 end
            as decimal(18, 2)
        ) as cash_amount,
        cast(
            case when members.size_number = 1 then members.paid_amount - members.target_amount else 0 end
            as decimal(18, 2)
        ) as fee_amount,
        cast(0 as decimal(18, 2)) as excess_amount,
        case
            when
                max(members.has_name) over (partition by members.receipt_id) = 1
                and max(members.is_named) over (partition by members.receipt_id) = 0
                then 'BNK-008'
            when
                max(
                    case
                        when members.is_ambiguous = 1 or members.is_bounded = 1 or members.wanted_count > 1 then 1
                        else 0
                    end
                ) over (partition by members.receipt_id) = 1
                then 'BNK-011'
        end as undecided_code,
        members.is_bounded = 1 as is_bounded
    from members

)

select * from final

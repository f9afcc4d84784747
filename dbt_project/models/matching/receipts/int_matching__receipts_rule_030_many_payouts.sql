-- Proposes: one receipt for two to eight pay-outs of the same marketplace and currency that add up to it exactly. Candidates are
-- inside the window or named in the receipt's text; those that it names are all in the set (BNK-008 when it names only what was paid
-- before). When several sets add up, or there are more candidates than can be tried, a person chooses (BNK-011). is_bounded tells
-- the second case; where nothing was found before the bound, billing_cycle_id is null.
with

candidates as (

    select * from {{ ref('int_matching__receipt_candidates') }}
    where
        receipt_currency_code = payout_currency_code
        and (is_named = 1 or (receipt_amount > payout_amount and is_from_payer and is_in_window))

),

earlier as (

    select * from {{ ref('int_matching__receipts_rule_010_reference') }}
    union all
    select * from {{ ref('int_matching__receipts_rule_020_amount') }}

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

targets as (

    select distinct
        open_candidates.receipt_id as target_id,
        cast(open_candidates.receipt_amount * 100 as bigint) as low_cents,
        cast(open_candidates.receipt_amount * 100 as bigint) as high_cents,
        open_candidates.receipt_amount as target_amount,
        2 as min_size,
        8 as max_size
    from open_candidates

),

items as (

    -- The newest first: days are counted backwards from a date that is later than any.
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

{{ covering_sets(is_exact=true) }},

members as (

    select
        items.target_id as receipt_id,
        items.marketplace_code,
        items.billing_cycle_id,
        items.payout_amount,
        case when found.is_complete then 0 else 1 end as is_bounded,
        case when found.set_count > 1 then 1 else 0 end as is_ambiguous,
        items.has_name,
        items.is_named,
        -- Two receipts may want the same pay-out: then neither is decided.
        count(*) over (partition by items.marketplace_code, items.billing_cycle_id) as wanted_count
    from found_members
    inner join items
        on found_members.target_id = items.target_id and found_members.item_id = items.item_id
    inner join found
        on found_members.target_id = found.target_id

),

final as (

    select
        members.receipt_id,
        members.marketplace_code,
        members.billing_cycle_id,
        'E030_MANY_PAYOUTS' as rule_code,
        members.receipt_id as group_id,
        members.payout_amount as cash_amount,
        cast(0 as decimal(18, 2)) as fee_amount,
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
    union all
    select
        found.target_id as receipt_id,
        cast(null as varchar) as marketplace_code,
        cast(null as varchar) as billing_cycle_id,
        'E030_MANY_PAYOUTS' as rule_code,
        found.target_id as group_id,
        targets.target_amount as cash_amount,
        cast(0 as decimal(18, 2)) as fee_amount,
        cast(0 as decimal(18, 2)) as excess_amount,
        'BNK-011' as undecided_code,
        true as is_bounded
    from found
    inner join targets
        on found.target_id = targets.target_id
    where found.set_count = 0 and not found.is_complete

)

select * from final

-- Proposes: one pay-out for two to four receipts that add up to it exactly, inside the window or naming the pay-out; those that name
-- it are all in the set. When several sets add up, or there are more candidates than can be tried, a person chooses (BNK-011);
-- is_bounded tells the second case; where nothing was found before the bound, receipt_id is null. A receipt that names another
-- pay-out is no candidate.
with

candidates as (

    select * from {{ ref('int_matching__receipt_candidates') }}
    where
        receipt_currency_code = payout_currency_code
        and payout_amount > receipt_amount
        and (is_named = 1 or (has_name = 0 and is_from_payer and is_in_window))

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
        open_candidates.marketplace_code || '|' || open_candidates.billing_cycle_id as target_id,
        cast(open_candidates.payout_amount * 100 as bigint) as low_cents,
        cast(open_candidates.payout_amount * 100 as bigint) as high_cents,
        open_candidates.marketplace_code,
        open_candidates.billing_cycle_id,
        open_candidates.payout_amount as target_amount,
        2 as min_size,
        4 as max_size
    from open_candidates

),

items as (

    -- The earliest first.
    select
        open_candidates.marketplace_code || '|' || open_candidates.billing_cycle_id as target_id,
        open_candidates.receipt_id as item_id,
        open_candidates.marketplace_code,
        open_candidates.billing_cycle_id,
        open_candidates.receipt_amount,
        cast(open_candidates.receipt_amount * 100 as bigint) as cents,
        open_candidates.is_named,
        {{ days_between("date '1970-01-01'", 'open_candidates.value_date') }} as item_order
    from open_candidates

),

{{ covering_sets(is_exact=true) }},

members as (

    select
        items.item_id as receipt_id,
        items.marketplace_code,
        items.billing_cycle_id,
        items.receipt_amount,
        case when found.is_complete then 0 else 1 end as is_bounded,
        case when found.set_count > 1 then 1 else 0 end as is_ambiguous,
        -- Two pay-outs may want the same receipt: then neither is decided.
        count(*) over (partition by items.item_id) as wanted_count
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
        'E040_MANY_RECEIPTS' as rule_code,
        members.billing_cycle_id as group_id,
        members.receipt_amount as cash_amount,
        cast(0 as decimal(18, 2)) as fee_amount,
        cast(0 as decimal(18, 2)) as excess_amount,
        case
            when
                max(
                    case
                        when members.is_ambiguous = 1 or members.is_bounded = 1 or members.wanted_count > 1 then 1
                        else 0
                    end
                ) over (partition by members.marketplace_code, members.billing_cycle_id) = 1
                then 'BNK-011'
        end as undecided_code,
        members.is_bounded = 1 as is_bounded
    from members
    union all
    select
        cast(null as varchar) as receipt_id,
        targets.marketplace_code,
        targets.billing_cycle_id,
        'E040_MANY_RECEIPTS' as rule_code,
        targets.billing_cycle_id as group_id,
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

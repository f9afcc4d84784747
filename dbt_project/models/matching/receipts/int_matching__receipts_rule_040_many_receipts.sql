-- Proposes: one pay-out for two to four receipts that add up to it exactly, inside the window or naming the pay-out. When several
-- sets add up, the set of the receipts that name it wins; without such a set a person chooses (BNK-011).
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

subsets as (

    select * from {{ ref('int_matching__subsets') }}
    where subset_size <= 4

),

earlier as (

    select * from {{ ref('int_matching__receipts_rule_010_reference') }}
    union all
    select * from {{ ref('int_matching__receipts_rule_020_amount') }}
    union all
    select * from {{ ref('int_matching__receipts_rule_030_many_payouts') }}

),

candidates as (

    select
        payouts.marketplace_code,
        payouts.billing_cycle_id,
        payouts.payout_amount,
        receipts.receipt_id,
        receipts.amount as receipt_amount,
        case when receipt_references.receipt_id is not null then 1 else 0 end as is_named,
        row_number() over (
            partition by payouts.marketplace_code, payouts.billing_cycle_id
            order by
                case when receipt_references.receipt_id is not null then 0 else 1 end,
                receipts.value_date,
                receipts.receipt_id
        ) as member_position
    from payouts
    inner join receipts
        on
            payouts.marketplace_code = receipts.marketplace_code
            and payouts.currency_code = receipts.currency_code
            and payouts.payout_amount > receipts.amount
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

named_counts as (

    select
        candidates.marketplace_code,
        candidates.billing_cycle_id,
        sum(candidates.is_named) as named_count
    from candidates
    group by candidates.marketplace_code, candidates.billing_cycle_id

),

sums as (

    select
        candidates.marketplace_code,
        candidates.billing_cycle_id,
        subsets.subset_id,
        subsets.subset_size,
        sum(candidates.is_named) as named_in_set
    from candidates
    inner join subsets
        on candidates.member_position = subsets.member_position
    group by
        candidates.marketplace_code,
        candidates.billing_cycle_id,
        candidates.payout_amount,
        subsets.subset_id,
        subsets.subset_size
    having
        count(*) = subsets.subset_size
        and sum(candidates.receipt_amount) = candidates.payout_amount

),

ranked as (

    select
        sums.marketplace_code,
        sums.billing_cycle_id,
        sums.subset_id,
        count(*) over (partition by sums.marketplace_code, sums.billing_cycle_id) as set_count,
        case
            when sums.named_in_set = sums.subset_size and sums.subset_size = named_counts.named_count then 1 else 0
        end as is_named_set,
        row_number() over (
            partition by sums.marketplace_code, sums.billing_cycle_id
            order by
                case
                    when sums.named_in_set = sums.subset_size and sums.subset_size = named_counts.named_count
                        then 0
                    else 1
                end,
                sums.subset_size,
                sums.subset_id
        ) as set_number
    from sums
    inner join named_counts
        on
            sums.marketplace_code = named_counts.marketplace_code
            and sums.billing_cycle_id = named_counts.billing_cycle_id

),

members as (

    select
        candidates.receipt_id,
        candidates.marketplace_code,
        candidates.billing_cycle_id,
        candidates.receipt_amount,
        case when ranked.set_count > 1 and ranked.is_named_set = 0 then 1 else 0 end as is_undecided,
        count(*) over (partition by candidates.receipt_id) as wanted_count
    from ranked
    inner join subsets
        on ranked.subset_id = subsets.subset_id
    inner join candidates
        on
            ranked.marketplace_code = candidates.marketplace_code
            and ranked.billing_cycle_id = candidates.billing_cycle_id
            and subsets.member_position = candidates.member_position
    where ranked.set_number = 1

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
                    case when members.is_undecided = 1 or members.wanted_count > 1 then 1 else 0 end
                ) over (partition by members.marketplace_code, members.billing_cycle_id) = 1
                then 'BNK-011'
        end as undecided_code
    from members

)

select * from final

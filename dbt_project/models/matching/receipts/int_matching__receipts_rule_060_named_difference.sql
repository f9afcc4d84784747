-- Proposes: receipts that name exactly one pay-out and together differ from it beyond the fee pattern. The text says which pay-out
-- was meant, so the matched part is cleared and the difference stays open by name (short: BNK-003, over-paid: BNK-004).
with

candidates as (

    select * from {{ ref('int_matching__receipt_candidates') }}
    where is_named = 1 and receipt_currency_code = payout_currency_code

),

receipt_references as (

    select * from {{ ref('int_matching__receipt_references') }}

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
    union all
    select
        rules.receipt_id,
        rules.marketplace_code,
        rules.billing_cycle_id
    from {{ ref('int_matching__receipts_rule_055_currency') }} as rules

),

named as (

    select receipt_references.receipt_id
    from receipt_references
    group by receipt_references.receipt_id
    having count(*) = 1

),

running as (

    select
        candidates.receipt_id,
        candidates.marketplace_code,
        candidates.billing_cycle_id,
        candidates.receipt_amount as amount,
        candidates.payout_amount,
        sum(candidates.receipt_amount) over (
            partition by candidates.marketplace_code, candidates.billing_cycle_id
            order by candidates.value_date, candidates.receipt_id
            rows between unbounded preceding and current row
        ) as received_amount
    from candidates
    inner join named
        on candidates.receipt_id = named.receipt_id
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
        running.receipt_id,
        running.marketplace_code,
        running.billing_cycle_id,
        'E060_NAMED_DIFFERENCE' as rule_code,
        running.billing_cycle_id as group_id,
        running.amount as cash_amount,
        cast(0 as decimal(18, 2)) as fee_amount,
        cast(least(
            running.amount, greatest(running.received_amount - running.payout_amount, 0)
        ) as decimal(18, 2)) as excess_amount,
        cast(null as varchar) as undecided_code
    from running

)

select * from final

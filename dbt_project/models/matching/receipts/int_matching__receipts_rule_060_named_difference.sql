-- Proposes: receipts that name exactly one pay-out and together differ from it beyond the fee pattern. The text says which pay-out
-- was meant, so the matched part is cleared and the difference stays open by name (short: BNK-003, over-paid: BNK-004).
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
    union all
    select
        rules.receipt_id,
        rules.marketplace_code,
        rules.billing_cycle_id,
        rules.rule_code,
        rules.group_id,
        rules.cash_amount,
        rules.fee_amount,
        rules.excess_amount,
        rules.undecided_code
    from {{ ref('int_matching__receipts_rule_055_currency') }} as rules

),

named as (

    select
        receipt_references.receipt_id,
        max(receipt_references.marketplace_code) as marketplace_code,
        max(receipt_references.billing_cycle_id) as billing_cycle_id
    from receipt_references
    group by receipt_references.receipt_id
    having count(*) = 1

),

running as (

    select
        receipts.receipt_id,
        payouts.marketplace_code,
        payouts.billing_cycle_id,
        receipts.amount,
        payouts.payout_amount,
        sum(receipts.amount) over (
            partition by payouts.marketplace_code, payouts.billing_cycle_id
            order by receipts.value_date, receipts.receipt_id
            rows between unbounded preceding and current row
        ) as received_amount
    from receipts
    inner join named
        on receipts.receipt_id = named.receipt_id
    inner join payouts
        on
            named.marketplace_code = payouts.marketplace_code
            and named.billing_cycle_id = payouts.billing_cycle_id
            and receipts.currency_code = payouts.currency_code
    where
        not exists (
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

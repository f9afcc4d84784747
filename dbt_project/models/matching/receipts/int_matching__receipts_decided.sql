-- Grain: receipt × pay-out that a rule brought together. The one place that decides: the rules see each item once and in their
-- order, so a decided pair is final and an undecided one waits for a person.
-- cash + fee - excess = what the receipt clears of the pay-out.
with

proposals as (

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
    select * from {{ ref('int_matching__receipts_rule_060_named_difference') }}

),

final as (

    select
        proposals.receipt_id,
        proposals.marketplace_code,
        proposals.billing_cycle_id,
        proposals.rule_code,
        proposals.group_id,
        cast(proposals.cash_amount as decimal(18, 2)) as cash_amount,
        proposals.fee_amount,
        proposals.excess_amount,
        cast(
            proposals.cash_amount + proposals.fee_amount - proposals.excess_amount as decimal(18, 2)
        ) as cleared_amount,
        proposals.undecided_code,
        proposals.undecided_code is null as is_decided
    from proposals

)

select * from final

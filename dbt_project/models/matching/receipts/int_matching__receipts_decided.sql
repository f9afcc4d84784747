-- Grain: receipt × pay-out that a rule brought together. The one place that decides: the rules see each item once and in their
-- order, so a decided pair is final and an undecided one waits for a person. What a person matched comes first. One side is null
-- where a search for sets ended at its bound without finding any.
-- cash + fee - excess + exchange = what the receipt clears of the pay-out, in the pay-out's currency. received_amount is the part of the
-- receipt behind it, in the receipt's own; cleared_currency_code is filled where the two currencies differ.
with

proposals as (

    {% for rule in [
        '005_person', '010_reference', '020_amount', '030_many_payouts', '040_many_receipts', '050_bank_fee',
        '052_payouts_less_fee', '055_currency', '060_named_difference',
    ] -%}
    select
        rules.receipt_id,
        rules.marketplace_code,
        rules.billing_cycle_id,
        rules.rule_code,
        rules.group_id,
        rules.cash_amount,
        rules.fee_amount,
        rules.excess_amount,
        {% if rule in ('005_person', '055_currency') -%} rules.exchange_amount {%- else -%} 0 as exchange_amount {%- endif %},
        {% if rule in ('005_person', '055_currency') -%}
        rules.received_amount,
        rules.cleared_currency_code,
        {%- else -%}
        rules.cash_amount as received_amount,
        cast(null as varchar) as cleared_currency_code,
        {%- endif %}
        {% if rule in ('030_many_payouts', '040_many_receipts', '052_payouts_less_fee') -%}
        rules.is_bounded,
        {%- else -%}
        false as is_bounded,
        {%- endif %}
        rules.undecided_code
    from {{ ref('int_matching__receipts_rule_' ~ rule) }} as rules
    {{ 'union all' if not loop.last }}
    {% endfor %}
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
        cast(proposals.exchange_amount as decimal(18, 2)) as exchange_amount,
        cast(
            proposals.cash_amount + proposals.fee_amount - proposals.excess_amount + proposals.exchange_amount
            as decimal(18, 2)
        ) as cleared_amount,
        cast(proposals.received_amount as decimal(18, 2)) as received_amount,
        proposals.cleared_currency_code,
        proposals.undecided_code,
        proposals.is_bounded,
        proposals.undecided_code is null as is_decided
    from proposals

)

select * from final

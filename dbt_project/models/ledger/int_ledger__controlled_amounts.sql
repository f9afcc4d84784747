-- One row per controlled sum and account, as the ledger models hold it.

with summed as (
    {% for total in controlled_amounts() -%}
    {{ "union all" if not loop.first }}
    select
        '{{ total.vendor }}' as vendor,
        '{{ total.feed }}' as feed,
        '{{ total.measure }}' as measure,
        {{ account_column(total.vendor) }} as account,
        sum(cast({{ total.ledger_column }} as decimal(28, 4))) as ledger_amount
    from {{ ref(total.ledger) }}
    {% if total.ledger_filter is defined -%} where {{ total.ledger_filter }} {%- endif %}
    group by {{ account_column(total.vendor) }}
    {% endfor %}
),

final as (
    select
        summed.vendor,
        summed.feed,
        summed.measure,
        summed.account,
        cast(coalesce(summed.ledger_amount, 0) as decimal(28, 4)) as ledger_amount
    from summed
)

select * from final

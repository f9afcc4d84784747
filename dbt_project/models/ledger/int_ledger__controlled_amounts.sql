-- One row per controlled sum and account, as the ledger models hold it.

with summed as (
    {% for vendor, feed, measure, raw_table, raw_column, model, column, account, ledger, ledger_column in controlled_amounts() -%}
    {% if not loop.first %}union all{% endif %}
    select
        '{{ vendor }}' as vendor,
        '{{ feed }}' as feed,
        '{{ measure }}' as measure,
        {{ account }} as account,
        sum(cast({{ ledger_column }} as decimal(28, 4))) as ledger_amount
    from {{ ref(ledger) }}
    group by {{ account }}
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

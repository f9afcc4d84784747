-- One row per controlled sum and account: the vendor's own text added up over the records that staging kept, beside what
-- staging made of it.
{{ config(materialized='table') }}

with summed as (
    {% for vendor, feed, measure, raw_table, raw_column, model, column, account, ledger, ledger_column in controlled_amounts() -%}
    {% if not loop.first %}union all{% endif %}
    select
        '{{ vendor }}' as vendor,
        '{{ feed }}' as feed,
        '{{ measure }}' as measure,
        raw_rows._account as account,
        sum(cast(nullif(trim(raw_rows.{{ raw_column }}), '') as decimal(28, 4))) as raw_amount,
        cast(0 as decimal(28, 4)) as staged_amount
    from {{ source('raw', raw_table) }} as raw_rows
    inner join {{ ref({
        'mirakl_order_lines': 'stg_mirakl__orders', 'mirakl_order_line_refunds': 'stg_mirakl__orders'
    }.get(raw_table, model)) }} as kept
        on
            raw_rows._account = kept.{{ account }}
            and raw_rows._file = kept._file
            and raw_rows._position = kept._position
    group by raw_rows._account
    union all
    select
        '{{ vendor }}' as vendor,
        '{{ feed }}' as feed,
        '{{ measure }}' as measure,
        {{ account }} as account,
        cast(0 as decimal(28, 4)) as raw_amount,
        sum(cast({{ column }} as decimal(28, 4))) as staged_amount
    from {{ ref(model) }}
    group by {{ account }}
    {% endfor %}
),

final as (
    select
        summed.vendor,
        summed.feed,
        summed.measure,
        summed.account,
        cast(sum(coalesce(summed.raw_amount, 0)) as decimal(28, 4)) as raw_amount,
        cast(sum(coalesce(summed.staged_amount, 0)) as decimal(28, 4)) as staged_amount
    from summed
    group by summed.vendor, summed.feed, summed.measure, summed.account
)

select * from final

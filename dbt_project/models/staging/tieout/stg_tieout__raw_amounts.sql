-- One row per controlled sum and account: the vendor's own text added up over the records that staging kept, beside what
-- staging made of it.
{{ config(materialized='table') }}

with summed as (
    {% for total in controlled_amounts() -%}
    {{ "union all" if not loop.first }}
    select
        '{{ total.vendor }}' as vendor,
        '{{ total.feed }}' as feed,
        '{{ total.measure }}' as measure,
        raw_rows._account as account,
        sum(cast(nullif(trim(raw_rows.{{ total.raw_column }}), '') as decimal(28, 4))) as raw_amount,
        cast(0 as decimal(28, 4)) as staged_amount
    from {{ source('raw', total.raw_table) }} as raw_rows
    inner join {{ ref(total.kept_by) }} as kept
        on
            raw_rows._account = kept.{{ account_column(total.vendor) }}
            and raw_rows._file = kept._file
            and raw_rows._position = kept._position
    where {{ 'kept.' ~ total.only if total.only else 'true' }}
    group by raw_rows._account
    union all
    select
        '{{ total.vendor }}' as vendor,
        '{{ total.feed }}' as feed,
        '{{ total.measure }}' as measure,
        {{ account_column(total.vendor) }} as account,
        cast(0 as decimal(28, 4)) as raw_amount,
        sum(cast({{ total.column }} as decimal(28, 4))) as staged_amount
    from {{ ref(total.model) }}
    where {{ total.only or 'true' }}
    group by {{ account_column(total.vendor) }}
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

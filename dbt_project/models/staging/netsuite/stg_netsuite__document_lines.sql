-- One row per line of those documents, as NetSuite keeps it: item lines of invoices and fulfilments negative, of credits and
-- returns positive. is_gone: the line was taken out, or its document was deleted.
{{ config(materialized='table') }}

with source as (
    {% for feed in netsuite_document_lines() -%}
    {{ "union all" if not loop.first }}
    select
        '{{ feed }}' as feed,
        versions.*
    from (
        {{ netsuite_newest_lines(source('raw', 'netsuite_' ~ feed), ['transaction', 'id']) }}
    ) as versions
    {% endfor %}
),

deleted as (
    {{ netsuite_deleted('TRANSACTION') }}
),

final as (
    select
        source._account as erp_code,
        source.feed,
        nullif(trim(source.transaction), '') as transaction_id,
        nullif(trim(source.id), '') as line_id,
        coalesce(source.mainline, false) as is_main_line,
        coalesce(source.taxline, false) as is_tax_line,
        coalesce(source.iscogs, false) as is_cost_line,
        coalesce(source.kitcomponent, false) as is_kit_component,
        nullif(trim(source.item), '') as item_id,
        nullif(trim(source.itemtype), '') as item_type,
        nullif(trim(source.memo), '') as memo,
        {{ to_decimal('source.quantity') }} as quantity,
        {{ to_decimal('source.foreignamount') }} as amount,
        source.is_removed or deleted.record_id is not null as is_gone,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
    left join deleted
        on
            source._account = deleted.erp_code
            and trim(source.transaction) = deleted.record_id
)

select * from final

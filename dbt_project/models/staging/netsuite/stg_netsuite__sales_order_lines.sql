-- One row per line of a sales order as NetSuite keeps it: the main line, item lines (quantity and amounts negative), tax lines.
-- shipped, billed and committed quantities are positive. is_gone: the line was taken out, or its order was deleted.
{{ config(materialized='table') }}

with source as (
    {{ netsuite_newest_lines(source('raw', 'netsuite_sales_order_lines'), ['transaction', 'id']) }}
),

deleted as (
    {{ netsuite_deleted('TRANSACTION') }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.transaction), '') as order_id,
        nullif(trim(source.id), '') as line_id,
        cast(nullif(trim(source.id), '') as bigint) as line_number,
        coalesce(try_cast(source.linesequencenumber as bigint), cast(source.id as bigint)) as line_sequence,
        coalesce(source.mainline, false) as is_main_line,
        coalesce(source.taxline, false) as is_tax_line,
        coalesce(source.iscogs, false) as is_cost_line,
        coalesce(source.kitcomponent, false) as is_kit_component,
        coalesce(source.isclosed, false) as is_closed,
        nullif(trim(source.item), '') as item_id,
        nullif(trim(source.itemtype), '') as item_type,
        nullif(trim(source.memo), '') as memo,
        {{ to_decimal('source.quantity') }} as quantity,
        {{ to_decimal('source.rate', 8) }} as rate,
        {{ to_decimal('source.foreignamount') }} as amount,
        {{ to_decimal('source.quantitycommitted') }} as committed_quantity,
        {{ to_decimal('source.quantityshiprecv') }} as shipped_quantity,
        {{ to_decimal('source.quantitybilled') }} as billed_quantity,
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

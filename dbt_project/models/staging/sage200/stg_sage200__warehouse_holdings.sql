-- One row per item and warehouse. Quantities in the stock unit; free = in stock - allocated.
{{ config(materialized='table') }}

with source as (
    {{ newest_snapshot(source('raw', 'sage200_warehouse_holdings'), 'sage200', 'warehouse_holdings', ['id']) }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.id), '') as holding_id,
        nullif(nullif(trim(source.product_id), ''), '0') as product_id,
        nullif(nullif(trim(source.warehouse_id), ''), '0') as warehouse_id,
        {{ to_decimal('source.quantity_in_stock') }} as quantity_in_stock,
        {{ to_decimal('source.quantity_allocated') }} as quantity_allocated,
        {{ to_decimal('source.quantity_reserved') }} as quantity_reserved,
        {{ to_decimal('source.free_stock_available') }} as free_quantity,
        {{ to_decimal('source.quantity_on_order') }} as quantity_on_order,
        {{ utc_timestamp('source.date_time_updated') }} as updated_at,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

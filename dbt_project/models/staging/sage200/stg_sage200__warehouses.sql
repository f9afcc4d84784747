-- One row per warehouse.
{{ config(materialized='table') }}

with source as (
    {{ newest_snapshot(source('raw', 'sage200_warehouses'), 'sage200', 'warehouses', ['id']) }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.id), '') as warehouse_id,
        nullif(trim(source.name), '') as warehouse_name,
        nullif(trim(source.warehouse_type), '') as warehouse_type,
        source.use_for_sales_trading as is_for_sales_trading,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

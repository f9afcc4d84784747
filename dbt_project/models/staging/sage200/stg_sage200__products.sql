-- One row per stock item.
{{ config(materialized='table') }}

with source as (
    {{ newest_snapshot(source('raw', 'sage200_products'), 'sage200', 'products', ['id']) }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.id), '') as product_id,
        nullif(trim(source.code), '') as item_code,
        nullif(trim(source.name), '') as item_name,
        nullif(nullif(trim(source.product_group_id), ''), '0') as product_group_id,
        nullif(nullif(trim(source.tax_code_id), ''), '0') as tax_code_id,
        nullif(trim(source.product_status_type), '') as product_status_type,
        nullif(trim(source.barcode), '') as barcode,
        {{ to_decimal('source.free_stock_quantity') }} as free_stock_quantity,
        {{ to_decimal('source.standard_cost', 6) }} as standard_cost,
        {{ to_decimal('source.average_buying_price', 6) }} as average_buying_price,
        source.allow_sales_order as is_sales_order_allowed,
        {{ calendar_date('source.inactivation_date') }} as inactivation_date,
        {{ utc_timestamp('source.date_time_updated') }} as updated_at,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

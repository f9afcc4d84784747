-- One row per product reference that was asked for, with the operator's product.

with source as (
    {{ newest_versions(source('raw', 'mirakl_products'), ['product_reference']) }}
),

final as (
    select
        source._account as marketplace_code,
        nullif(trim(source.product_reference), '') as product_reference,
        upper(nullif(trim(source.product_id_type), '')) as product_reference_type,
        nullif(trim(source.product_id), '') as product_id,
        nullif(trim(source.product_sku), '') as product_sku,
        nullif(trim(source.product_title), '') as product_title,
        nullif(trim(source.category_code), '') as category_code,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

-- Offers whose SKU is not the item code.

with source as (
    select * from {{ ref('item_map') }}
),

final as (
    select
        nullif(trim(source.marketplace_code), '') as marketplace_code,
        nullif(trim(source.shop_sku), '') as shop_sku,
        nullif(trim(source.erp_code), '') as erp_code,
        nullif(trim(source.item_code), '') as item_code
    from source
)

select * from final

-- One row per marketplace and offer. item_code is the ERP item that the offer sells, by item map or by its SKU.

with offers as (
    select * from {{ ref('stg_mirakl__offers') }}
),

marketplaces as (
    select * from {{ ref('int_ledger__marketplaces') }}
),

item_map as (
    select * from {{ ref('stg_tieout__item_map') }}
),

final as (
    select
        offers.marketplace_code,
        marketplaces.entity_code,
        marketplaces.erp_code,
        offers.offer_id,
        offers.shop_sku,
        coalesce(item_map.item_code, offers.shop_sku) as item_code,
        offers.quantity,
        offers.is_active,
        offers.inactivity_reasons,
        {{ money('offers.price_amount') }} as price_amount,
        coalesce(offers.currency_code, marketplaces.currency_code) as currency_code
    from offers
    inner join marketplaces
        on offers.marketplace_code = marketplaces.marketplace_code
    left join item_map
        on
            offers.marketplace_code = item_map.marketplace_code
            and offers.shop_sku = item_map.shop_sku
)

select * from final

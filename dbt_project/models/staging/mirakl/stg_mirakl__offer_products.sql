-- One row per SKU and product that its offer was ever seen to sell, of the SKUs that were seen to sell more than one: the
-- only staging model that looks at old versions, because a product that was swapped shows in nothing else.
{{ config(materialized='table') }}

with sightings as (
    select
        _account,
        cast(null as varchar) as shop_id,
        shop_sku,
        product_sku,
        min(_fetched_at) as first_seen_at,
        max(_fetched_at) as last_seen_at
    from {{ source('raw', 'mirakl_offers') }}
    where nullif(trim(product_sku), '') is not null
    group by _account, shop_sku, product_sku
    union all
    select
        _account,
        shop_id,
        shop_sku,
        product_sku,
        min(_fetched_at) as first_seen_at,
        max(_fetched_at) as last_seen_at
    from {{ source('raw', 'mirakl_offer_changes') }}
    where nullif(trim(product_sku), '') is not null and not coalesce(deleted, false)
    group by _account, shop_id, shop_sku, product_sku
),

counted as (
    select
        _account,
        shop_sku
    from sightings
    group by _account, shop_sku
    having min(product_sku) <> max(product_sku)
),

final as (
    select
        sightings._account as marketplace_code,
        nullif(trim(sightings.shop_id), '') as shop_id,
        trim(sightings.shop_sku) as shop_sku,
        trim(sightings.product_sku) as product_sku,
        min(sightings.first_seen_at) as first_seen_at,
        max(sightings.last_seen_at) as last_seen_at
    from sightings
    inner join counted
        on
            sightings._account = counted._account
            and sightings.shop_sku = counted.shop_sku
    group by
        sightings._account,
        nullif(trim(sightings.shop_id), ''),
        trim(sightings.shop_sku),
        trim(sightings.product_sku)
)

select * from final

-- One row per offer that stands on a marketplace, as last seen: in the newest whole list of the shop's offers, or in an export of
-- changes that was read after it. What a later export calls deleted is gone, and so is what the newest list no longer holds.
-- item_code is the ERP item that the offer sells, by item map or by its SKU. previous_product_sku: what the SKU sold before.

with listed as (
    select * from {{ ref('stg_mirakl__offers') }}
),

list_times as (
    select
        marketplace_code,
        max(fetched_at) as listed_at
    from listed
    group by marketplace_code
),

changes as (
    select changed.*
    from {{ ref('stg_mirakl__offer_changes') }} as changed
    left join list_times
        on changed.marketplace_code = list_times.marketplace_code
    where list_times.listed_at is null or changed.fetched_at > list_times.listed_at
),

-- The price that holds everywhere and for everybody; of several the one that is not bound to days.
default_prices as (
    select
        ranked.marketplace_code,
        ranked.offer_id,
        ranked.price_amount
    from (
        select
            prices.marketplace_code,
            prices.offer_id,
            case
                when
                    prices.discount_price_amount is not null
                    and coalesce(prices.discount_from <= {{ as_of() }}, true)
                    and coalesce({{ as_of() }} < prices.discount_until, true)
                    then prices.discount_price_amount
                else prices.price_amount
            end as price_amount,
            row_number() over (
                partition by prices.marketplace_code, prices.offer_id
                order by case when prices.valid_from is null then 0 else 1 end, prices.line_index
            ) as price_rank
        from {{ ref('stg_mirakl__offer_change_prices') }} as prices
        where
            prices.channel_codes is null
            and prices.customer_organization_ids is null
            and prices.customer_group_ids is null
    ) as ranked
    where ranked.price_rank = 1
),

seen as (
    select
        listed.marketplace_code,
        cast(null as varchar) as record_shop_id,
        listed.offer_id,
        listed.shop_sku,
        listed.product_sku,
        listed.product_reference,
        listed.package_quantity,
        listed.quantity,
        listed.is_active,
        listed.inactivity_reasons,
        listed.price_amount,
        listed.currency_code
    from listed
    left join changes
        on
            listed.marketplace_code = changes.marketplace_code
            and listed.offer_id = changes.offer_id
    where changes.offer_id is null
    union all
    select
        changes.marketplace_code,
        changes.shop_id as record_shop_id,
        changes.offer_id,
        changes.shop_sku,
        changes.product_sku,
        known.product_reference,
        changes.package_quantity,
        coalesce(changes.quantity, 0) as quantity,
        changes.is_active,
        cast(null as varchar) as inactivity_reasons,
        default_prices.price_amount,
        changes.currency_code
    from changes
    left join default_prices
        on
            changes.marketplace_code = default_prices.marketplace_code
            and changes.offer_id = default_prices.offer_id
    -- An export does not tell the product's barcode; the list did, unless the offer sells another product since.
    left join listed as known
        on
            changes.marketplace_code = known.marketplace_code
            and changes.offer_id = known.offer_id
            and changes.product_sku = known.product_sku
    where not changes.is_deleted
),

marketplaces as (
    select * from {{ ref('int_ledger__marketplaces') }}
),

item_map as (
    select * from {{ ref('stg_tieout__item_map') }}
),

located as (
    select
        seen.*,
        marketplaces.entity_code,
        marketplaces.erp_code,
        marketplaces.currency_code as marketplace_currency_code,
        {{ shop_of('seen.record_shop_id') }} as shop_id
    from seen
    inner join marketplaces
        on seen.marketplace_code = marketplaces.marketplace_code
),

-- Another product that the same shop sold under the SKU before, the latest of them.
previous as (
    select
        ranked.marketplace_code,
        ranked.offer_id,
        ranked.product_sku,
        ranked.last_seen_at
    from (
        select
            located.marketplace_code,
            located.offer_id,
            products.product_sku,
            products.last_seen_at,
            row_number() over (
                partition by located.marketplace_code, located.offer_id
                order by products.last_seen_at desc, products.product_sku asc
            ) as age_rank
        from located
        inner join {{ ref('stg_mirakl__offer_products') }} as products
            on
                located.marketplace_code = products.marketplace_code
                and located.shop_sku = products.shop_sku
        where
            located.product_sku <> products.product_sku
            and (products.shop_id is null or products.shop_id = located.shop_id)
    ) as ranked
    where ranked.age_rank = 1
),

final as (
    select
        located.marketplace_code,
        located.entity_code,
        located.erp_code,
        located.shop_id,
        located.offer_id,
        located.shop_sku,
        coalesce(item_map.item_code, located.shop_sku) as item_code,
        located.product_sku,
        located.product_reference,
        located.package_quantity,
        previous.product_sku as previous_product_sku,
        previous.last_seen_at as previous_seen_at,
        located.quantity,
        located.is_active,
        located.inactivity_reasons,
        {{ money('located.price_amount') }} as price_amount,
        coalesce(located.currency_code, located.marketplace_currency_code) as currency_code
    from located
    left join previous
        on
            located.marketplace_code = previous.marketplace_code
            and located.offer_id = previous.offer_id
    left join item_map
        on
            located.marketplace_code = item_map.marketplace_code
            and located.shop_sku = item_map.shop_sku
)

select * from final

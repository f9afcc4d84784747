-- Grain: offer of a seller on a marketplace that we operate, as last seen. The product_ columns are of the product over all sellers and
-- repeat on each of its offers: not additive. Prices are compared within a currency.

with offers as (
    select * from {{ ref('int_ledger__offers') }}
),

marketplaces as (
    select * from {{ ref('int_ledger__marketplaces') }}
),

shops as (
    select * from {{ ref('int_ledger__shops') }}
),

joined as (
    select
        offers.marketplace_code,
        offers.entity_code,
        offers.shop_id,
        shops.shop_name,
        shops.shop_state,
        offers.offer_id,
        offers.shop_sku,
        offers.product_sku,
        -- An offer without a product stands for itself.
        coalesce(offers.product_sku, 'offer ' || offers.offer_id) as product_key,
        offers.is_active,
        offers.quantity,
        offers.price_amount,
        offers.currency_code,
        case when offers.is_active then offers.quantity else 0 end as sellable_quantity,
        case when offers.is_active then offers.price_amount end as asked_amount
    from offers
    inner join marketplaces
        on offers.marketplace_code = marketplaces.marketplace_code
    left join shops
        on
            offers.marketplace_code = shops.marketplace_code
            and offers.shop_id = shops.shop_id
    where marketplaces.perspective = 'OPERATOR'
),

products as (
    select
        marketplace_code,
        product_key,
        currency_code,
        count(distinct case when is_active then shop_id end) as seller_count,
        sum(sellable_quantity) as quantity,
        min(asked_amount) as lowest_amount,
        max(asked_amount) as highest_amount
    from joined
    group by marketplace_code, product_key, currency_code
),

final as (
    select
        joined.marketplace_code,
        joined.entity_code,
        joined.shop_id,
        joined.shop_name,
        joined.shop_state,
        joined.offer_id,
        joined.shop_sku,
        joined.product_sku,
        joined.is_active,
        cast(joined.quantity as decimal(18, 4)) as quantity,
        cast(joined.price_amount as decimal(18, 2)) as price_amount,
        joined.currency_code,
        cast(products.seller_count as integer) as product_seller_count,
        cast(products.quantity as decimal(18, 4)) as product_quantity,
        cast(products.lowest_amount as decimal(18, 2)) as product_lowest_amount,
        cast(products.highest_amount as decimal(18, 2)) as product_highest_amount,
        coalesce(joined.asked_amount = products.lowest_amount, false) as is_lowest_price
    from joined
    inner join products
        on
            joined.marketplace_code = products.marketplace_code
            and joined.product_key = products.product_key
            and joined.currency_code = products.currency_code
)

select * from final

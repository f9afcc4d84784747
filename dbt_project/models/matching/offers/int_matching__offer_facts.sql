-- One row per marketplace and offered SKU of a seller with books: the offer, the item that it sells, and what the configuration
-- says of the two. previous_product_sku: the product that the SKU sold before, by older versions of its offer. ean_agrees: the
-- product's barcode is the item's; empty where one of them is unknown, or where a pack has a barcode of its own. ean_item_code:
-- the only item with the product's barcode, where the SKU itself names none.

with expected as (
    select * from {{ ref('int_matching__stock_expected') }}
),

offers as (
    select * from {{ ref('int_ledger__offers') }}
),

items as (
    select * from {{ ref('int_ledger__items') }}
),

-- Of a barcode that several items have nobody knows which one is meant.
barcodes as (
    select
        erp_code,
        trim(leading '0' from barcode) as ean,
        max(item_code) as item_code
    from items
    where barcode is not null
    group by erp_code, trim(leading '0' from barcode)
    having count(*) = 1
),

rules as (
    select * from {{ ref('stg_tieout__offer_rules') }}
),

price_tolerances as (
    select
        currency_code,
        max(amount) as amount
    from {{ ref('int_ledger__tolerances') }}
    where
        test_code = 'OFFER_PRICE'
        and effective_from <= cast({{ as_of() }} as date)
        and (effective_until is null or cast({{ as_of() }} as date) < effective_until)
    group by currency_code
),

joined as (
    select
        expected.marketplace_code,
        expected.entity_code,
        expected.erp_code,
        expected.shop_sku,
        offers.shop_id,
        expected.offer_id,
        expected.offer_count,
        expected.item_code,
        expected.is_item_known,
        expected.item_count,
        expected.is_sellable,
        expected.is_offer_active,
        expected.offer_quantity,
        expected.pack_size,
        offers.inactivity_reasons,
        offers.product_sku,
        offers.price_amount,
        offers.currency_code,
        coalesce(offers.package_quantity, 1) as package_quantity,
        coalesce(own_rule.package_quantity, common_rule.package_quantity, 1) as wanted_package_quantity,
        coalesce(own_rule.is_listable, common_rule.is_listable, true) as is_listable,
        coalesce(own_rule.floor_amount, common_rule.floor_amount) as floor_amount,
        coalesce(own_rule.price_push_minutes, common_rule.price_push_minutes, 60) as price_push_minutes,
        cast(items.standard_cost * expected.pack_size as decimal(18, 2)) as cost_amount,
        cast(case
            when marketplaces.order_tax_mode = 'TAX_EXCLUDED'
                then cast(items.standard_cost * expected.pack_size as decimal(18, 2))
            else
                cast(items.standard_cost * expected.pack_size as decimal(18, 2))
                + {{ tax_on_net(
                    'cast(items.standard_cost * expected.pack_size as decimal(18, 2))',
                    'coalesce(items.tax_rate_percent, 0)'
                ) }}
        end as decimal(18, 2)) as cost_price_amount,
        prices.price_list,
        cast(prices.price_amount * expected.pack_size as decimal(18, 2)) as list_amount,
        cast(prices.price_amount as decimal(18, 2)) as unit_list_amount,
        prices.changed_at as price_changed_at,
        coalesce(price_tolerances.amount, 0) as price_tolerance_amount,
        offers.previous_product_sku,
        offers.previous_seen_at,
        case
            when substring(offers.product_reference, 1, 4) in ('EAN|', 'UPC|')
                then trim(leading '0' from substring(offers.product_reference, 5))
        end as product_ean,
        nullif(trim(leading '0' from items.barcode), '') as item_ean
    from expected
    inner join offers
        on
            expected.marketplace_code = offers.marketplace_code
            and expected.offer_id = offers.offer_id
    left join items
        on
            expected.erp_code = items.erp_code
            and expected.item_code = items.item_code
    left join rules as own_rule
        on
            expected.marketplace_code = own_rule.marketplace_code
            and expected.item_code = own_rule.item_code
    left join rules as common_rule
        on
            expected.marketplace_code = common_rule.marketplace_code
            and common_rule.item_code = '*'
    inner join {{ ref('int_ledger__marketplaces') }} as marketplaces
        on expected.marketplace_code = marketplaces.marketplace_code
    left join {{ ref('int_matching__offer_prices') }} as prices
        on
            expected.marketplace_code = prices.marketplace_code
            and expected.item_code = prices.item_code
            and offers.currency_code = prices.currency_code
    left join price_tolerances
        on offers.currency_code = price_tolerances.currency_code
),

final as (
    select
        joined.*,
        barcodes.item_code as ean_item_code,
        case
            when joined.pack_size = 1 and joined.product_ean is not null and joined.item_ean is not null
                then joined.product_ean = joined.item_ean
        end as ean_agrees,
        -- Nothing else about an offer can be judged until it is known what it sells.
        joined.is_item_known and joined.offer_count = 1 and joined.item_count = 1 as is_identified,
        coalesce(joined.inactivity_reasons like '%SHOP%', false) as is_shop_closed,
        cast(greatest(coalesce(joined.floor_amount, 0), coalesce(joined.cost_price_amount, 0)) as decimal(20, 4))
            as least_amount,
        joined.price_amount - joined.list_amount as price_difference_amount,
        joined.pack_size <> 1
        and joined.price_amount = joined.unit_list_amount
        and joined.price_amount <> joined.list_amount as is_price_of_one
    from joined
    left join barcodes
        on
            joined.erp_code = barcodes.erp_code
            and joined.product_ean = barcodes.ean
            and not joined.is_item_known
)

select * from final

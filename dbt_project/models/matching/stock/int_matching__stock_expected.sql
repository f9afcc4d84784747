-- One row per marketplace and offered SKU: what the offer should show, and why.
-- expected = max(0, floor(((free stock of the warehouses for sale - orders of any marketplace not yet in the ERP) x share - buffer) / pack
-- size)), at most the rule's maximum; nil for an item that may not be sold, unless run-off is allowed, and for one whose class is held while
-- the stock feed is stale. Stock in ERP units, offers in packs. The class is that of what all marketplaces of the ERP sold in 28 days.
-- unbuffered_quantity is the same without the buffer: an offer that shows exactly that was fed past the setting.

with offers as (
    select
        offers.*,
        count(*) over (partition by offers.marketplace_code, offers.shop_sku) as offer_count,
        row_number() over (
            partition by offers.marketplace_code, offers.shop_sku
            order by
                case when offers.is_active then 0 else 1 end asc,
                offers.quantity desc,
                offers.offer_id asc
        ) as offer_rank
    from {{ ref('int_ledger__offers') }} as offers
    inner join {{ ref('int_ledger__marketplaces') }} as marketplaces
        on offers.marketplace_code = marketplaces.marketplace_code
    where offers.shop_sku is not null and marketplaces.has_books
),

items as (
    select * from {{ ref('int_ledger__items') }}
),

-- What is ruled for every marketplace holds where one has no row of its own for the item (or for all).
rules as (
    select ranked.*
    from (
        select
            marketplaces.marketplace_code,
            stock_rules.item_code,
            stock_rules.buffer_quantity,
            stock_rules.pack_size,
            stock_rules.maximum_quantity,
            stock_rules.is_run_off_allowed,
            stock_rules.share_percent,
            row_number() over (
                partition by marketplaces.marketplace_code, stock_rules.item_code
                order by case when stock_rules.marketplace_code = '*' then 1 else 0 end
            ) as choice
        from {{ ref('int_ledger__marketplaces') }} as marketplaces
        inner join {{ ref('stg_tieout__stock_rules') }} as stock_rules
            on
                marketplaces.marketplace_code = stock_rules.marketplace_code
                or stock_rules.marketplace_code = '*'
    ) as ranked
    where ranked.choice = 1
),

free_stock as (
    select
        warehouses.marketplace_code,
        stock.item_code,
        sum(stock.free_quantity) as free_quantity,
        min(stock.free_quantity) as smallest_free_quantity
    from {{ ref('int_ledger__stock') }} as stock
    inner join {{ ref('int_ledger__warehouses') }} as warehouses
        on
            stock.erp_code = warehouses.erp_code
            and stock.warehouse_name = warehouses.warehouse_name
    where warehouses.is_for_sale
    group by warehouses.marketplace_code, stock.item_code
),

own_pack_sizes as (
    select
        marketplace_code,
        item_code,
        pack_size
    from rules
    where item_code <> '*'
),

common_pack_sizes as (
    select
        marketplace_code,
        pack_size
    from rules
    where item_code = '*'
),

-- Goods that are sold but that the ERP cannot have allocated yet: it does not know the order. Whichever marketplace sold them, they are
-- gone from the stock that all of them offer; in ERP units, because each may sell in packs of its own.
awaited_parts as (
    select
        pairs.erp_code,
        order_lines.marketplace_code,
        order_lines.item_code,
        sum(order_lines.quantity - order_lines.cancelled_quantity) as quantity
    from {{ ref('int_ledger__order_lines') }} as order_lines
    inner join {{ ref('int_matching__order_pairs') }} as pairs
        on
            order_lines.marketplace_code = pairs.marketplace_code
            and order_lines.order_id = pairs.order_id
    where
        pairs.erp_order_id is null
        and pairs.order_state in (
            'STAGING', 'WAITING_ACCEPTANCE', 'WAITING_DEBIT', 'WAITING_DEBIT_PAYMENT', 'SHIPPING'
        )
    group by pairs.erp_code, order_lines.marketplace_code, order_lines.item_code
),

awaited as (
    select
        awaited_parts.erp_code,
        awaited_parts.item_code,
        sum(
            awaited_parts.quantity
            * greatest(coalesce(own_pack_sizes.pack_size, common_pack_sizes.pack_size, 1), 1)
        ) as quantity
    from awaited_parts
    left join own_pack_sizes
        on
            awaited_parts.marketplace_code = own_pack_sizes.marketplace_code
            and awaited_parts.item_code = own_pack_sizes.item_code
    left join common_pack_sizes
        on awaited_parts.marketplace_code = common_pack_sizes.marketplace_code
    group by awaited_parts.erp_code, awaited_parts.item_code
),

sold as (
    select
        orders.erp_code,
        order_lines.item_code,
        sum(
            (order_lines.quantity - order_lines.cancelled_quantity)
            * greatest(coalesce(own_pack_sizes.pack_size, common_pack_sizes.pack_size, 1), 1)
        ) as quantity
    from {{ ref('int_ledger__order_lines') }} as order_lines
    inner join {{ ref('int_ledger__orders') }} as orders
        on
            order_lines.marketplace_code = orders.marketplace_code
            and order_lines.order_id = orders.order_id
    left join own_pack_sizes
        on
            order_lines.marketplace_code = own_pack_sizes.marketplace_code
            and order_lines.item_code = own_pack_sizes.item_code
    left join common_pack_sizes
        on order_lines.marketplace_code = common_pack_sizes.marketplace_code
    where orders.created_at > {{ add_minutes(as_of(), '-28 * 24 * 60') }}
    group by orders.erp_code, order_lines.item_code
),

classes as (
    select * from {{ ref('stg_tieout__stock_classes') }}
),

-- The class with the highest threshold that the item's sales reach.
classed as (
    select
        ranked.erp_code,
        ranked.item_code,
        ranked.quantity,
        ranked.velocity_code,
        ranked.buffer_quantity,
        ranked.is_held_when_stale
    from (
        select
            sold.erp_code,
            sold.item_code,
            sold.quantity,
            classes.velocity_code,
            classes.buffer_quantity,
            classes.is_held_when_stale,
            row_number() over (
                partition by sold.erp_code, sold.item_code
                order by classes.minimum_quantity desc, classes.velocity_code asc
            ) as choice
        from sold
        left join classes
            on sold.quantity >= classes.minimum_quantity
    ) as ranked
    where ranked.choice = 1
),

stale_feeds as (
    select
        erps.erp_code,
        min(feeds.entity) as entity
    from {{ ref('int_ledger__feed_freshness') }} as feeds
    inner join {{ ref('stg_tieout__erps') }} as erps
        on
            feeds.vendor = erps.vendor
            and feeds.account = erps.erp_code
    where feeds.is_stock_feed and feeds.is_stale
    group by erps.erp_code
),

joined as (
    select
        offers.marketplace_code,
        offers.entity_code,
        offers.erp_code,
        offers.shop_sku,
        offers.offer_id,
        offers.offer_count,
        offers.item_code,
        offers.quantity as offer_quantity,
        offers.is_active as is_offer_active,
        items.item_code is not null as is_item_known,
        coalesce(items.item_count, 0) as item_count,
        coalesce(items.is_discontinued, false) as is_discontinued,
        coalesce(own_rule.is_run_off_allowed, common_rule.is_run_off_allowed, false) as is_run_off_allowed,
        coalesce(items.is_sellable, false)
        or (
            coalesce(items.is_discontinued, false)
            and coalesce(own_rule.is_run_off_allowed, common_rule.is_run_off_allowed, false)
        ) as is_sellable,
        coalesce(free_stock.free_quantity, 0) as free_quantity,
        coalesce(free_stock.smallest_free_quantity, 0) as smallest_free_quantity,
        coalesce(awaited.quantity, 0) as awaited_quantity,
        coalesce(
            own_rule.buffer_quantity,
            greatest(coalesce(common_rule.buffer_quantity, 0), coalesce(classed.buffer_quantity, 0))
        ) as buffer_quantity,
        coalesce(own_rule.share_percent, common_rule.share_percent, 100) as share_percent,
        coalesce(classed.quantity, 0) as sold_quantity,
        classed.velocity_code,
        stale_feeds.entity as stale_feed,
        stale_feeds.entity is not null and coalesce(classed.is_held_when_stale, false) as is_held,
        greatest(coalesce(own_rule.pack_size, common_rule.pack_size, 1), 1) as pack_size,
        coalesce(own_rule.maximum_quantity, common_rule.maximum_quantity) as maximum_quantity
    from offers
    left join items
        on
            offers.erp_code = items.erp_code
            and offers.item_code = items.item_code
    left join rules as own_rule
        on
            offers.marketplace_code = own_rule.marketplace_code
            and offers.item_code = own_rule.item_code
    left join rules as common_rule
        on
            offers.marketplace_code = common_rule.marketplace_code
            and common_rule.item_code = '*'
    left join free_stock
        on
            offers.marketplace_code = free_stock.marketplace_code
            and offers.item_code = free_stock.item_code
    left join awaited
        on
            offers.erp_code = awaited.erp_code
            and offers.item_code = awaited.item_code
    left join classed
        on
            offers.erp_code = classed.erp_code
            and offers.item_code = classed.item_code
    left join stale_feeds
        on offers.erp_code = stale_feeds.erp_code
    where offers.offer_rank = 1
),

computed as (
    select
        joined.*,
        {{ integer_divide(
            'cast(greatest(floor((joined.free_quantity - joined.awaited_quantity) * joined.share_percent * 0.01'
            ~ ' - joined.buffer_quantity), 0) as bigint)',
            'cast(joined.pack_size as bigint)'
        ) }} as buffered_packs,
        {{ integer_divide(
            'cast(greatest(floor((joined.free_quantity - joined.awaited_quantity) * joined.share_percent * 0.01), 0) as bigint)',
            'cast(joined.pack_size as bigint)'
        ) }} as unbuffered_packs
    from joined
),

final as (
    select
        computed.marketplace_code,
        computed.entity_code,
        computed.erp_code,
        computed.shop_sku,
        computed.offer_id,
        computed.offer_count,
        computed.item_code,
        computed.is_item_known,
        computed.item_count,
        computed.is_discontinued,
        computed.is_sellable,
        computed.is_run_off_allowed,
        computed.offer_quantity,
        computed.is_offer_active,
        computed.free_quantity,
        computed.smallest_free_quantity,
        computed.awaited_quantity,
        computed.buffer_quantity,
        computed.pack_size,
        computed.maximum_quantity,
        computed.share_percent,
        computed.sold_quantity,
        computed.velocity_code,
        computed.stale_feed,
        computed.is_held,
        cast(
            case
                when not computed.is_sellable or computed.is_held then 0
                else least(computed.buffered_packs, coalesce(computed.maximum_quantity, computed.buffered_packs))
            end as decimal(18, 4)
        ) as expected_quantity,
        cast(
            case
                when not computed.is_sellable then 0
                else least(computed.unbuffered_packs, coalesce(computed.maximum_quantity, computed.unbuffered_packs))
            end as decimal(18, 4)
        ) as unbuffered_quantity
    from computed
)

select * from final

-- Level h: one row per subject (offer, warehouse, item, stock feed) and rule. Not additive. Quantities, not money: the
-- amount columns are empty. delta_quantity = offered - expected; above expected is a risk of overselling.

with stock_checks as (
    select * from {{ ref('int_matching__stock_checks') }}
),

expected as (
    select * from {{ ref('int_matching__stock_expected') }}
),

feeds as (
    select * from {{ ref('int_ledger__feed_freshness') }}
),

marketplaces as (
    select * from {{ ref('int_ledger__marketplaces') }}
),

next_days as (
    select
        marketplace_code,
        shop_sku,
        least(
            cast(offer_quantity * pack_size as bigint),
            greatest(1, {{ integer_divide('cast(sold_quantity as bigint) + 27', '28') }})
        ) as demand_quantity,
        cast(greatest(floor(free_quantity - awaited_quantity), 0) as bigint) as there_quantity
    from expected
),

-- When an offer was last proved to show nil, and what was sold through it after that.
closed as (
    select
        marketplace_code,
        natural_id as shop_sku,
        max(verified_at) as closed_at
    from {{ ref('int_ledger__outbox_actions') }}
    where kind in ('STOCK', 'OFFER') and state = 'VERIFIED'
    group by marketplace_code, natural_id
),

closings as (
    select
        closed.marketplace_code,
        closed.shop_sku,
        closed.closed_at,
        sum(case when orders.created_at > closed.closed_at then order_lines.quantity else 0 end) as sold_since_quantity
    from closed
    left join {{ ref('int_ledger__order_lines') }} as order_lines
        on
            closed.marketplace_code = order_lines.marketplace_code
            and closed.shop_sku = order_lines.shop_sku
    left join {{ ref('int_ledger__orders') }} as orders
        on
            order_lines.marketplace_code = orders.marketplace_code
            and order_lines.order_id = orders.order_id
    group by closed.marketplace_code, closed.shop_sku, closed.closed_at
),

of_feeds as (
    select
        marketplaces.marketplace_code,
        marketplaces.entity_code,
        'FEED' as subject_type,
        feeds.entity as subject_id,
        'STOCK_FEED_FRESH' as rule_code,
        case when feeds.is_stale then 'EXCEPTION' else 'MATCHED' end as status,
        case when feeds.is_stale then 'STK-005' end as exception_code,
        cast(null as decimal(18, 4)) as expected_quantity,
        cast(null as decimal(18, 4)) as actual_quantity,
        cast(null as decimal(18, 4)) as tolerance_quantity,
        feeds.account as left_id,
        feeds.entity as right_id,
        cast(null as varchar) as item_code,
        case
            when feeds.is_stale
                then
                    'stock feed ' || feeds.entity || ' of ' || feeds.account || ' is older than '
                    || cast(feeds.freshness_hours as varchar) || ' hours'
        end as summary,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        feeds.stale_from as due_at
    from feeds
    inner join marketplaces
        on
            (feeds.vendor = marketplaces.vendor and feeds.account = marketplaces.marketplace_code)
            or (feeds.vendor <> marketplaces.vendor and feeds.account = marketplaces.erp_code)
    where feeds.is_stock_feed
),

of_checks as (
    select
        marketplace_code,
        entity_code,
        subject_type,
        subject_id,
        rule_code,
        status,
        exception_code,
        expected_quantity,
        actual_quantity,
        tolerance_quantity,
        left_id,
        right_id,
        item_code,
        summary,
        root_subject_type,
        root_subject_id,
        cast(null as timestamp) as due_at
    from stock_checks
),

unioned as (
    select * from of_checks
    union all
    select * from of_feeds
),

final as (
    select
        unioned.marketplace_code,
        unioned.entity_code,
        unioned.subject_type,
        unioned.subject_id,
        unioned.rule_code,
        unioned.status,
        unioned.exception_code,
        cast(null as decimal(18, 2)) as expected_amount,
        cast(null as decimal(18, 2)) as actual_amount,
        cast(null as decimal(18, 2)) as delta_amount,
        cast(null as decimal(18, 2)) as tolerance_amount,
        marketplaces.currency_code,
        unioned.left_id,
        unioned.right_id,
        unioned.due_at,
        unioned.root_subject_type,
        unioned.root_subject_id,
        unioned.summary,
        unioned.item_code,
        unioned.expected_quantity,
        unioned.actual_quantity,
        cast(unioned.actual_quantity - unioned.expected_quantity as decimal(18, 4)) as delta_quantity,
        unioned.tolerance_quantity,
        cast(expected.free_quantity as decimal(18, 4)) as free_quantity,
        cast(expected.awaited_quantity as decimal(18, 4)) as awaited_quantity,
        cast(expected.buffer_quantity as decimal(18, 4)) as buffer_quantity,
        cast(expected.pack_size as decimal(18, 4)) as pack_size,
        expected.is_discontinued,
        expected.is_offer_active,
        expected.velocity_code,
        cast(expected.sold_quantity as decimal(18, 4)) as sold_quantity,
        -- Of what the next day will ask for at the speed of the last 28, and the offer would sell: the part that is not there.
        cast(case
            when expected.offer_quantity is null then null
            when expected.offer_quantity <= 0 then 0
            else {{ integer_divide(
                'cast(100 * (next_days.demand_quantity - least(next_days.demand_quantity, next_days.there_quantity)) as bigint)',
                'greatest(next_days.demand_quantity, 1)'
            ) }}
        end as integer) as oversell_risk_percent,
        coalesce(expected.stale_feed is not null, false) as is_feed_stale,
        closings.closed_at,
        cast(closings.sold_since_quantity as decimal(18, 4)) as sold_since_quantity
    from unioned
    inner join marketplaces
        on unioned.marketplace_code = marketplaces.marketplace_code
    left join expected
        on
            unioned.subject_type = 'OFFER'
            and unioned.marketplace_code = expected.marketplace_code
            and unioned.subject_id = expected.shop_sku
    left join next_days
        on
            unioned.subject_type = 'OFFER'
            and unioned.marketplace_code = next_days.marketplace_code
            and unioned.subject_id = next_days.shop_sku
    left join closings
        on
            unioned.subject_type = 'OFFER'
            and unioned.marketplace_code = closings.marketplace_code
            and unioned.subject_id = closings.shop_sku
            and expected.is_discontinued
)

select * from final

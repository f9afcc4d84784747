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
        stock_checks.*,
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
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
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
        expected.is_offer_active
    from unioned
    inner join marketplaces
        on unioned.marketplace_code = marketplaces.marketplace_code
    left join expected
        on
            unioned.subject_type = 'OFFER'
            and unioned.marketplace_code = expected.marketplace_code
            and unioned.subject_id = expected.shop_sku
)

select * from final

-- One row per offer whose quantity must be sent now: wanted minus actual. Nothing is proposed for an offer inside its
-- tolerance, for a SKU that is not unique, or while an earlier quantity of the same SKU is on its way.

with stock as (
    select * from {{ ref('rec_stock') }}
),

marketplaces as (
    select * from {{ ref('int_ledger__marketplaces') }}
),

closing_rules as (
    select * from {{ ref('stg_tieout__offer_rules') }}
),

-- 1 for the class that sells most: a call budget that is short goes to it first.
velocities as (
    select
        velocity_code,
        rank() over (order by minimum_quantity desc) as velocity_rank
    from {{ ref('stg_tieout__stock_classes') }}
),

earlier as (
    select
        marketplace_code,
        natural_id,
        sum(case when is_ended then 1 else 0 end) as ended_count,
        sum(case when state in ('SENDING', 'SENT', 'UNKNOWN') then 1 else 0 end) as on_its_way_count
    from {{ ref('int_ledger__outbox_actions') }}
    where kind = 'STOCK'
    group by marketplace_code, natural_id
),

wanted as (
    select
        stock.marketplace_code,
        stock.entity_code,
        stock.subject_id as shop_sku,
        stock.exception_code,
        cast(stock.expected_quantity as bigint) as quantity,
        cast(stock.actual_quantity as bigint) as previous_quantity,
        stock.summary,
        velocities.velocity_rank,
        cast(1 + coalesce(earlier.ended_count, 0) as integer) as version
    from stock
    left join earlier
        on
            stock.marketplace_code = earlier.marketplace_code
            and stock.subject_id = earlier.natural_id
    left join velocities
        on stock.velocity_code = velocities.velocity_code
    left join closing_rules as own_rule
        on
            stock.marketplace_code = own_rule.marketplace_code
            and stock.item_code = own_rule.item_code
    left join closing_rules as common_rule
        on
            stock.marketplace_code = common_rule.marketplace_code
            and common_rule.item_code = '*'
    where
        stock.subject_type = 'OFFER'
        and stock.status = 'EXCEPTION'
        and stock.exception_code in ('STK-001', 'STK-002', 'STK-003', 'STK-006')
        -- The offer of a discontinued item is closed as a whole where the configuration says so.
        and (
            stock.exception_code <> 'STK-003'
            or coalesce(own_rule.when_discontinued, common_rule.when_discontinued, 'ZERO') = 'ZERO'
        )
        -- A discontinued offer that shows nil but is still active cannot be closed by a quantity.
        and stock.expected_quantity <> stock.actual_quantity
        -- What an old reading says may be gone by now: it takes offers down, never up.
        and (not coalesce(stock.is_feed_stale, false) or stock.expected_quantity < stock.actual_quantity)
        and coalesce(earlier.on_its_way_count, 0) = 0
),

keyed as (
    select
        wanted.*,
        'STOCK|' || wanted.marketplace_code || '|' || wanted.shop_sku || '|' || cast(wanted.version as varchar)
            as action_key
    from wanted
),

rendered as (
    select
        keyed.*,
        {{ json_object([
            ('shop_sku', 'keyed.shop_sku'),
            ('quantity', 'keyed.quantity'),
            ('previous_quantity', 'keyed.previous_quantity'),
            ('reason', 'keyed.exception_code'),
            ('rank', 'cast(keyed.velocity_rank as bigint)'),
        ]) }} as payload
    from keyed
),

final as (
    select
        rendered.action_key,
        'STOCK' as kind,
        marketplaces.vendor,
        rendered.marketplace_code as account,
        rendered.marketplace_code,
        rendered.entity_code,
        rendered.shop_sku as natural_id,
        rendered.version,
        {{ wire_key('rendered.action_key') }} as wire_key,
        cast(null as decimal(18, 2)) as amount,
        cast(null as varchar) as currency_code,
        rendered.payload,
        rendered.summary as reason,
        {{ sha256_hex('rendered.payload') }} as source_hash
    from rendered
    inner join marketplaces
        on rendered.marketplace_code = marketplaces.marketplace_code
    where marketplaces.perspective = 'SELLER'
)

select * from final

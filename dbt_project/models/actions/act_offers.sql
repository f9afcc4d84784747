-- Grain: one thing to change about an offer beside its quantity: to close or delete that of a discontinued item (kind OFFER), or to bring
-- its price to the list in force (kind PRICE). Both by offer_rules.csv; nothing while an earlier action of the same offer is on its way, or
-- after a person has turned it down. A price is never set below the floor or the item's cost, and a change beyond the configured
-- limit is left to a person.
with

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}
    where perspective = 'SELLER'

),

facts as (

    select * from {{ ref('int_matching__offer_facts') }}

),

rules as (

    select * from {{ ref('stg_tieout__offer_rules') }}

),

stock as (

    select * from {{ ref('rec_stock') }}
    where subject_type = 'OFFER' and status = 'EXCEPTION' and exception_code = 'STK-003'

),

prices as (

    select * from {{ ref('rec_offers') }}
    where rule_code = 'OFFER_PRICE' and status = 'EXCEPTION'

),

earlier as (

    select
        kind,
        marketplace_code,
        natural_id,
        sum(case when is_ended then 1 else 0 end) as ended_count,
        sum(case when state in ('SENDING', 'SENT', 'UNKNOWN', 'REJECTED') then 1 else 0 end) as settled_count
    from {{ ref('int_ledger__outbox_actions') }}
    where kind in ('OFFER', 'PRICE')
    group by kind, marketplace_code, natural_id

),

ruled as (

    select
        facts.marketplace_code,
        facts.entity_code,
        facts.shop_sku,
        facts.item_code,
        facts.currency_code,
        facts.price_amount,
        facts.list_amount,
        facts.least_amount,
        facts.offer_quantity,
        facts.is_offer_active,
        coalesce(own_rule.when_discontinued, common_rule.when_discontinued, 'ZERO') as when_discontinued,
        coalesce(own_rule.price_push, common_rule.price_push, 'NEVER') as price_push,
        coalesce(own_rule.maximum_change_percent, common_rule.maximum_change_percent) as maximum_change_percent
    from facts
    left join rules as own_rule
        on
            facts.marketplace_code = own_rule.marketplace_code
            and facts.item_code = own_rule.item_code
    left join rules as common_rule
        on
            facts.marketplace_code = common_rule.marketplace_code
            and common_rule.item_code = '*'
    where facts.is_identified

),

wanted as (

    select
        'OFFER' as kind,
        ruled.marketplace_code,
        ruled.entity_code,
        ruled.shop_sku,
        cast(null as decimal(18, 2)) as amount,
        ruled.currency_code,
        {{ json_object([
            ('shop_sku', 'ruled.shop_sku'),
            ('operation', 'ruled.when_discontinued'),
        ]) }} as payload,
        stock.summary as reason
    from ruled
    inner join stock
        on
            ruled.marketplace_code = stock.marketplace_code
            and ruled.shop_sku = stock.subject_id
    where
        ruled.when_discontinued = 'DELETE'
        -- To close an offer is to offer nil; one that shows nil and is active all the same can only be deleted.
        or (ruled.when_discontinued = 'CLOSE' and ruled.offer_quantity > 0)
    union all
    select
        'PRICE' as kind,
        ruled.marketplace_code,
        ruled.entity_code,
        ruled.shop_sku,
        cast(ruled.list_amount as decimal(18, 2)) as amount,
        ruled.currency_code,
        {{ json_object([
            ('shop_sku', 'ruled.shop_sku'),
            ('previous_price', 'cast(cast(ruled.price_amount as decimal(18, 2)) as varchar)'),
            ('prices', json_raw("'[' || " ~ json_object([
                ('price', 'cast(cast(ruled.list_amount as decimal(18, 2)) as varchar)')
            ]) ~ " || ']'")),
        ]) }} as payload,
        prices.summary as reason
    from ruled
    inner join prices
        on
            ruled.marketplace_code = prices.marketplace_code
            and ruled.shop_sku = prices.subject_id
    where
        ruled.price_push = 'DRIFT'
        and ruled.list_amount >= ruled.least_amount
        and ruled.list_amount <> ruled.price_amount
        and (
            ruled.maximum_change_percent is null
            or abs(ruled.list_amount - ruled.price_amount) * 100 <= ruled.maximum_change_percent * ruled.price_amount
        )

),

keyed as (

    select
        wanted.*,
        cast(1 + coalesce(earlier.ended_count, 0) as integer) as version,
        wanted.kind || '|' || wanted.marketplace_code || '|' || wanted.shop_sku || '|'
        || cast(1 + coalesce(earlier.ended_count, 0) as varchar) as action_key
    from wanted
    left join earlier
        on
            wanted.kind = earlier.kind
            and wanted.marketplace_code = earlier.marketplace_code
            and wanted.shop_sku = earlier.natural_id
    where coalesce(earlier.settled_count, 0) = 0

),

final as (

    select
        keyed.action_key,
        keyed.kind,
        marketplaces.vendor,
        keyed.marketplace_code as account,
        keyed.marketplace_code,
        keyed.entity_code,
        keyed.shop_sku as natural_id,
        keyed.version,
        {{ wire_key('keyed.action_key') }} as wire_key,
        keyed.amount,
        case when keyed.amount is not null then keyed.currency_code end as currency_code,
        keyed.payload,
        keyed.reason,
        {{ sha256_hex('keyed.payload') }} as source_hash
    from keyed
    inner join marketplaces
        on keyed.marketplace_code = marketplaces.marketplace_code

)

select * from final

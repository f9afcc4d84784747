-- Grain: one thing to change about an offer beside its quantity: to close or delete that of a discontinued item (kind OFFER), to bring
-- its price to the list in force (kind PRICE), or to list an approved item that has no offer (kind OFFER_CREATE, with nil on sale: the
-- stock lane then sends what there is). All by offer_rules.csv; nothing while an earlier action of the same offer is on its way, or
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
    where kind in ('OFFER', 'OFFER_CREATE', 'PRICE')
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

-- An item goes on sale under its own code, singly, as the product of its barcode, at the price in force. Where any of that is not so clear
-- (packs, a code that another item's offer bears or that the item map gives away, no barcode, a price below floor or cost) a person lists it.
unlisted as (

    select
        marketplaces.marketplace_code,
        marketplaces.entity_code,
        items.item_code,
        items.barcode,
        prices.currency_code,
        cast(prices.price_amount as decimal(18, 2)) as list_amount,
        coalesce(own_rule.condition_code, common_rule.condition_code, '11') as condition_code,
        findings.summary
    from {{ ref('rec_offers') }} as findings
    inner join marketplaces
        on findings.marketplace_code = marketplaces.marketplace_code
    inner join {{ ref('int_ledger__items') }} as items
        on
            marketplaces.erp_code = items.erp_code
            and findings.subject_id = items.item_code
    inner join {{ ref('int_matching__offer_prices') }} as prices
        on
            marketplaces.marketplace_code = prices.marketplace_code
            and items.item_code = prices.item_code
            and marketplaces.currency_code = prices.currency_code
    left join rules as own_rule
        on
            marketplaces.marketplace_code = own_rule.marketplace_code
            and items.item_code = own_rule.item_code
    left join rules as common_rule
        on
            marketplaces.marketplace_code = common_rule.marketplace_code
            and common_rule.item_code = '*'
    left join {{ ref('int_ledger__offers') }} as namesakes
        on
            marketplaces.marketplace_code = namesakes.marketplace_code
            and items.item_code = namesakes.shop_sku
    left join {{ ref('stg_tieout__item_map') }} as given_away
        on
            marketplaces.marketplace_code = given_away.marketplace_code
            and items.item_code = given_away.shop_sku
    left join (
        select distinct
            marketplace_code,
            item_code
        from {{ ref('stg_tieout__stock_rules') }}
        where pack_size <> 1
    ) as packs
        on
            packs.marketplace_code in (marketplaces.marketplace_code, '*')
            and packs.item_code in (items.item_code, '*')
    where
        findings.exception_code = 'OFR-004'
        and findings.status = 'EXCEPTION'
        and coalesce(own_rule.when_unlisted, common_rule.when_unlisted, 'NEVER') = 'CREATE'
        and coalesce(own_rule.package_quantity, common_rule.package_quantity, 1) = 1
        and items.is_sellable
        and items.item_count = 1
        and nullif(trim(items.barcode), '') is not null
        and length(items.item_code) <= 40
        and items.item_code not like '%/%'
        and namesakes.offer_id is null
        and given_away.item_code is null
        and packs.item_code is null
        and prices.price_amount > 0
        and prices.price_amount >= coalesce(own_rule.floor_amount, common_rule.floor_amount, 0)
        and prices.price_amount >= coalesce(items.standard_cost, 0) + case
            when marketplaces.order_tax_mode = 'TAX_EXCLUDED' then 0
            else
                {{ tax_on_net(
                    'cast(coalesce(items.standard_cost, 0) as decimal(18, 2))', 'coalesce(items.tax_rate_percent, 0)'
                ) }}
        end

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
    union all
    select
        'OFFER_CREATE' as kind,
        unlisted.marketplace_code,
        unlisted.entity_code,
        unlisted.item_code as shop_sku,
        unlisted.list_amount as amount,
        unlisted.currency_code,
        {{ json_object([
            ('shop_sku', 'unlisted.item_code'),
            ('product_id', 'unlisted.barcode'),
            ('product_id_type', "case when length(unlisted.barcode) = 12 then 'UPC' else 'EAN' end"),
            ('price', 'cast(unlisted.list_amount as varchar)'),
            ('quantity', '0'),
            ('state_code', 'unlisted.condition_code'),
        ]) }} as payload,
        unlisted.summary as reason
    from unlisted

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

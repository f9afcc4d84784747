-- Level k: one row per subject (offer, item of the ERP, shop) and rule. Not additive. Every offered SKU of a seller with books has
-- one row of each rule for offers, every item one that says whether it is offered. Amounts are prices of one piece of the
-- offer, in its currency and the marketplace's tax mode.
with facts as (
    select * from {{ ref('int_matching__offer_facts') }}
),

marketplaces as (
    select * from {{ ref('int_ledger__marketplaces') }}
),

identities as (
    select
        facts.marketplace_code,
        facts.entity_code,
        'OFFER' as subject_type,
        facts.shop_sku as subject_id,
        'OFFER_IDENTITY' as rule_code,
        case
            when facts.offer_count > 1 or facts.item_count > 1 then 'EXCEPTION'
            when not facts.is_item_known and not facts.is_offer_active and facts.offer_quantity = 0 then 'EXCLUDED'
            when not facts.is_item_known or (not facts.is_listable and facts.is_offer_active) then 'EXCEPTION'
            when not coalesce(facts.ean_agrees, facts.previous_product_sku is null) then 'EXCEPTION'
            else 'MATCHED'
        end as status,
        case
            when facts.offer_count > 1 or facts.item_count > 1 then 'OFR-002'
            when not facts.is_item_known or not facts.is_listable then 'OFR-001'
            else 'OFR-007'
        end as exception_code,
        facts.offer_id as left_id,
        facts.item_code as right_id,
        coalesce(facts.ean_item_code, facts.item_code) as expected_value,
        facts.product_sku as actual_value,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        case
            when facts.offer_count > 1 or facts.item_count > 1
                then
                    'SKU ' || facts.shop_sku || ' stands for ' || cast(facts.offer_count as varchar) || ' offers and '
                    || cast(facts.item_count as varchar)
                    || ' active items of the ERP: an order of it cannot be booked to one of them for certain'
            when not facts.is_item_known
                then
                    'offer ' || facts.shop_sku || ' (' || {{ whole_number('facts.offer_quantity') }}
                    || ' on sale) has no item in the ERP: an order of it could not be booked'
                    || coalesce('; item ' || facts.ean_item_code || ' has its barcode', '')
            when not facts.is_listable
                then
                    'offer ' || facts.shop_sku || ' is on sale, but item ' || facts.item_code
                    || ' is not approved for this marketplace (offer_rules.csv)'
            when facts.ean_agrees is not null
                then
                    'offer ' || facts.shop_sku || ' sells product ' || coalesce(facts.product_sku, '?')
                    || ' with barcode ' || facts.product_ean || ', item ' || facts.item_code || ' has barcode '
                    || facts.item_ean
                    || coalesce(
                        '; until ' || cast(cast(facts.previous_seen_at as date) as varchar) || ' it sold product '
                        || facts.previous_product_sku, ''
                    )
            else
                'offer ' || facts.shop_sku || ' sells product ' || coalesce(facts.product_sku, '?') || '; until '
                || cast(cast(facts.previous_seen_at as date) as varchar) || ' it sold product '
                || coalesce(facts.previous_product_sku, '?')
        end as summary
    from facts
),

packages as (
    select
        facts.marketplace_code,
        facts.entity_code,
        'OFFER' as subject_type,
        facts.shop_sku as subject_id,
        'OFFER_PACKAGE' as rule_code,
        case
            when not facts.is_identified or not facts.is_sellable then 'EXCLUDED'
            when facts.package_quantity = facts.wanted_package_quantity and not coalesce(facts.is_price_of_one, false)
                then 'MATCHED'
            else 'EXCEPTION'
        end as status,
        'OFR-008' as exception_code,
        facts.offer_id as left_id,
        facts.item_code as right_id,
        {{ whole_number('facts.wanted_package_quantity') }} as expected_value,
        {{ whole_number('facts.package_quantity') }} as actual_value,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        case
            when facts.package_quantity <> facts.wanted_package_quantity
                then
                    'offer ' || facts.shop_sku || ' is sold in multiples of '
                    || {{ whole_number('facts.package_quantity') }}
                    || ', item ' || facts.item_code || ' is to be sold in multiples of '
                    || {{ whole_number('facts.wanted_package_quantity') }}
            else
                'offer ' || facts.shop_sku || ' is a pack of ' || {{ whole_number('facts.pack_size') }} || ' of item '
                || facts.item_code || ' and asks the price of one: ' || cast(facts.price_amount as varchar) || ' '
                || facts.currency_code
        end as summary
    from facts
),

activities as (
    select
        facts.marketplace_code,
        facts.entity_code,
        'OFFER' as subject_type,
        facts.shop_sku as subject_id,
        'OFFER_ACTIVE' as rule_code,
        case
            when not facts.is_identified or not facts.is_sellable then 'EXCLUDED'
            when facts.is_offer_active then 'MATCHED'
            -- Closed on purpose: the item is not to be listed, or the offer's own dates say so.
            when not facts.is_listable or facts.inactivity_reasons = 'NOT_IN_AVAILABILITY_PERIOD' then 'EXCLUDED'
            -- With nothing to sell an offer is rightly closed; whether there is something is judged at level h.
            when facts.offer_quantity = 0 then 'MATCHED'
            else 'EXCEPTION'
        end as status,
        'OFR-005' as exception_code,
        facts.offer_id as left_id,
        facts.item_code as right_id,
        'active' as expected_value,
        coalesce(facts.inactivity_reasons, case when facts.is_offer_active then 'active' else 'inactive' end)
            as actual_value,
        case when facts.is_shop_closed then 'SHOP' end as root_subject_type,
        case when facts.is_shop_closed then facts.shop_id end as root_subject_id,
        'offer ' || facts.shop_sku || ' is closed with ' || {{ whole_number('facts.offer_quantity') }}
        || ' in stock; the marketplace''s reason: ' || coalesce(facts.inactivity_reasons, 'not told') as summary
    from facts
),

priced as (
    select
        facts.marketplace_code,
        facts.entity_code,
        'OFFER' as subject_type,
        facts.shop_sku as subject_id,
        'OFFER_PRICE' as rule_code,
        case
            when not facts.is_identified or not facts.is_sellable or facts.price_amount is null then 'EXCLUDED'
            -- The price of one piece on a pack is a matter of its unit (OFR-008).
            when coalesce(facts.is_price_of_one, false) then 'EXCLUDED'
            when facts.price_amount < facts.least_amount then 'EXCEPTION'
            -- On no list that holds today, or on none in the offer's currency: there is nothing to compare with.
            when facts.list_amount is null then 'EXCLUDED'
            when facts.price_difference_amount = 0 then 'MATCHED'
            when abs(facts.price_difference_amount) <= facts.price_tolerance_amount then 'MATCHED_WITHIN_TOLERANCE'
            when {{ add_minutes('facts.price_changed_at', 'facts.price_push_minutes') }} > {{ as_of() }} then 'TIMING'
            else 'EXCEPTION'
        end as status,
        case when facts.price_amount < facts.least_amount then 'OFR-006' else 'OFR-003' end as exception_code,
        facts.offer_id as left_id,
        facts.item_code as right_id,
        facts.price_list as expected_value,
        cast(null as varchar) as actual_value,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        case
            when facts.price_amount < facts.least_amount
                then
                    'offer ' || facts.shop_sku || ' asks ' || cast(facts.price_amount as varchar) || ' '
                    || facts.currency_code || ', less than the lowest price allowed, '
                    || cast(facts.least_amount as varchar)
                    || case
                        when facts.least_amount = facts.cost_price_amount
                            then ' (cost ' || cast(facts.cost_amount as varchar) || ' with the marketplace''s tax)'
                        else ' (offer_rules.csv)'
                    end
            else
                'offer ' || facts.shop_sku || ' asks ' || cast(facts.price_amount as varchar) || ' '
                || facts.currency_code || ', price list ' || facts.price_list || ' says '
                || cast(facts.list_amount as varchar) || ' since '
                || cast(cast(facts.price_changed_at as date) as varchar)
        end as summary,
        case
            when facts.price_amount < facts.least_amount then coalesce(facts.list_amount, facts.least_amount)
            else facts.list_amount
        end as expected_amount,
        facts.price_amount as actual_amount,
        facts.price_tolerance_amount as tolerance_amount,
        facts.currency_code,
        {{ add_minutes('facts.price_changed_at', 'facts.price_push_minutes') }} as due_at
    from facts
),

shops as (
    select
        facts.marketplace_code,
        facts.entity_code,
        'SHOP' as subject_type,
        facts.shop_id as subject_id,
        'SHOP_OPEN' as rule_code,
        case
            when sum(case when facts.is_shop_closed then 1 else 0 end) > 0 then 'EXCEPTION'
            else 'MATCHED'
        end as status,
        'OFR-005' as exception_code,
        facts.shop_id as left_id,
        cast(null as varchar) as right_id,
        'open' as expected_value,
        min(case when facts.is_shop_closed then facts.inactivity_reasons else 'open' end) as actual_value,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        'shop ' || facts.shop_id || ' is closed: '
        || cast(sum(case when facts.is_shop_closed then 1 else 0 end) as varchar) || ' of '
        || cast(count(*) as varchar) || ' offers are off sale because of it' as summary
    from facts
    where facts.shop_id is not null
    group by facts.marketplace_code, facts.entity_code, facts.shop_id
),

offered_items as (
    select
        facts.marketplace_code,
        facts.item_code,
        min(facts.offer_id) as offer_id
    from facts
    group by facts.marketplace_code, facts.item_code
),

listed as (
    select
        marketplaces.marketplace_code,
        marketplaces.entity_code,
        'ITEM' as subject_type,
        items.item_code as subject_id,
        'ITEM_LISTED' as rule_code,
        case
            when offered_items.offer_id is not null then 'MATCHED'
            when not items.is_sellable then 'EXCLUDED'
            when not coalesce(own_rule.is_listable, common_rule.is_listable, true) then 'EXCLUDED'
            -- Where no offer at all was read, the feed is what is missing.
            when offering.marketplace_code is null then 'EXCLUDED'
            else 'EXCEPTION'
        end as status,
        'OFR-004' as exception_code,
        offered_items.offer_id as left_id,
        items.item_code as right_id,
        'offered' as expected_value,
        case when offered_items.offer_id is not null then 'offered' end as actual_value,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        'item ' || items.item_code || ' may be sold here and has no offer' as summary
    from {{ ref('int_ledger__items') }} as items
    inner join marketplaces
        on items.erp_code = marketplaces.erp_code
    left join {{ ref('stg_tieout__offer_rules') }} as own_rule
        on
            marketplaces.marketplace_code = own_rule.marketplace_code
            and items.item_code = own_rule.item_code
    left join {{ ref('stg_tieout__offer_rules') }} as common_rule
        on
            marketplaces.marketplace_code = common_rule.marketplace_code
            and common_rule.item_code = '*'
    left join offered_items
        on
            marketplaces.marketplace_code = offered_items.marketplace_code
            and items.item_code = offered_items.item_code
    left join (select distinct facts.marketplace_code from facts) as offering
        on marketplaces.marketplace_code = offering.marketplace_code
    where marketplaces.has_books
),

unpriced as (
    select * from identities
    union all
    select * from packages
    union all
    select * from activities
    union all
    select * from shops
    union all
    select * from listed
),

unioned as (
    select
        unpriced.*,
        cast(null as decimal(18, 2)) as expected_amount,
        cast(null as decimal(18, 2)) as actual_amount,
        cast(null as decimal(18, 2)) as tolerance_amount,
        cast(null as varchar) as currency_code,
        cast(null as timestamp) as due_at
    from unpriced
    union all
    select * from priced
),

final as (
    select
        unioned.marketplace_code,
        unioned.entity_code,
        unioned.subject_type,
        unioned.subject_id,
        unioned.rule_code,
        unioned.status,
        case when unioned.status = 'EXCEPTION' then unioned.exception_code end as exception_code,
        cast(unioned.expected_amount as decimal(18, 2)) as expected_amount,
        cast(unioned.actual_amount as decimal(18, 2)) as actual_amount,
        cast(unioned.actual_amount - unioned.expected_amount as decimal(18, 2)) as delta_amount,
        cast(unioned.tolerance_amount as decimal(18, 2)) as tolerance_amount,
        coalesce(unioned.currency_code, marketplaces.currency_code) as currency_code,
        unioned.left_id,
        unioned.right_id,
        case when unioned.status = 'TIMING' then unioned.due_at end as due_at,
        case when unioned.status = 'EXCEPTION' then unioned.root_subject_type end as root_subject_type,
        case when unioned.status = 'EXCEPTION' then unioned.root_subject_id end as root_subject_id,
        case when unioned.status = 'EXCEPTION' then unioned.summary end as summary,
        unioned.expected_value,
        unioned.actual_value
    from unioned
    inner join marketplaces
        on unioned.marketplace_code = marketplaces.marketplace_code
)

select * from final

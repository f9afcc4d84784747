-- One row per offer that stands on a marketplace, as last seen: in the newest whole list of the shop's offers, or in an export of
-- changes that was read after it. What a later export calls deleted is gone, and so is what the newest list no longer holds.
-- item_code is the ERP item that the offer sells, by item map or by its SKU.

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
    where not changes.is_deleted
),

marketplaces as (
    select * from {{ ref('int_ledger__marketplaces') }}
),

item_map as (
    select * from {{ ref('stg_tieout__item_map') }}
),

final as (
    select
        seen.marketplace_code,
        marketplaces.entity_code,
        marketplaces.erp_code,
        {{ shop_of('seen.record_shop_id') }} as shop_id,
        seen.offer_id,
        seen.shop_sku,
        coalesce(item_map.item_code, seen.shop_sku) as item_code,
        seen.quantity,
        seen.is_active,
        seen.inactivity_reasons,
        {{ money('seen.price_amount') }} as price_amount,
        coalesce(seen.currency_code, marketplaces.currency_code) as currency_code
    from seen
    inner join marketplaces
        on seen.marketplace_code = marketplaces.marketplace_code
    left join item_map
        on
            seen.marketplace_code = item_map.marketplace_code
            and seen.shop_sku = item_map.shop_sku
)

select * from final

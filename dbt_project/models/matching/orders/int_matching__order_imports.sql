-- One row per order of a seller that the ERP should hold and does not: what keeps it out, if anything, and whose data is at fault.
-- obstacle: UNKNOWN_ITEM, SEVERAL_ITEMS, NOT_SELLABLE, BELOW_FLOOR, TAX_UNDECIDED, TAX_BY_HAND, SET_UP; of several the first in this order.
-- fault_side: ERP_DATA, OFFER_SETUP or CONFIGURATION. Orders that were never to be created (despatched, cancelled) are not here.

with pairs as (
    select * from {{ ref('int_matching__order_pairs') }}
    where
        erp_order_id is null
        and not is_excluded
        and order_state in ('WAITING_ACCEPTANCE', 'WAITING_DEBIT', 'WAITING_DEBIT_PAYMENT', 'SHIPPING')
),

rules as (
    select * from {{ ref('stg_tieout__order_rules') }}
    where fulfilled_by in ('SELLER', 'MARKETPLACE')
),

lines as (
    select * from {{ ref('int_ledger__order_lines') }}
    where not is_cancelled and quantity > cancelled_quantity
),

items as (
    select * from {{ ref('int_ledger__items') }}
),

sale_taxes as (
    select * from {{ ref('int_matching__sale_taxes') }}
),

offered as (
    select
        marketplace_code,
        shop_sku,
        min(offer_id) as offer_id
    from {{ ref('int_ledger__offers') }}
    group by marketplace_code, shop_sku
),

offer_rules as (
    select * from {{ ref('stg_tieout__offer_rules') }}
),

judged as (
    select
        pairs.marketplace_code,
        pairs.order_id,
        lines.order_line_id,
        lines.shop_sku,
        lines.item_code,
        offered.offer_id,
        items.item_code is null as is_unknown,
        coalesce(items.item_count, 1) > 1 as is_ambiguous,
        not coalesce(items.is_sellable, true) as is_unsellable,
        coalesce(own_rule.floor_amount, common_rule.floor_amount) as floor_amount,
        lines.unit_price,
        coalesce(lines.unit_price < coalesce(own_rule.floor_amount, common_rule.floor_amount), false) as is_below_floor,
        not coalesce(sale_taxes.is_decided, true)
        or coalesce(pairs.sale_tax_code, items.tax_code) is null as is_untaxed,
        {{ tax_follows_items('erps.vendor') }} and coalesce(pairs.sale_tax_code <> items.tax_code, false)
            as is_tax_by_hand
    from pairs
    inner join {{ ref('stg_tieout__erps') }} as erps
        on pairs.erp_code = erps.erp_code
    inner join lines
        on
            pairs.marketplace_code = lines.marketplace_code
            and pairs.order_id = lines.order_id
    left join items
        on
            pairs.erp_code = items.erp_code
            and lines.item_code = items.item_code
    left join sale_taxes
        on
            pairs.marketplace_code = sale_taxes.marketplace_code
            and pairs.order_id = sale_taxes.order_id
    left join offered
        on
            lines.marketplace_code = offered.marketplace_code
            and lines.shop_sku = offered.shop_sku
    left join offer_rules as own_rule
        on
            lines.marketplace_code = own_rule.marketplace_code
            and lines.item_code = own_rule.item_code
    left join offer_rules as common_rule
        on
            lines.marketplace_code = common_rule.marketplace_code
            and common_rule.item_code = '*'
),

named as (
    select
        judged.*,
        case
            when judged.is_unknown then 1
            when judged.is_ambiguous then 2
            when judged.is_unsellable then 3
            when judged.is_below_floor then 4
            when judged.is_untaxed then 5
            when judged.is_tax_by_hand then 6
        end as obstacle_rank
    from judged
),

worst as (
    select ranked.*
    from (
        select
            named.*,
            count(*) over (partition by named.marketplace_code, named.order_id) as line_count,
            row_number() over (
                partition by named.marketplace_code, named.order_id
                order by coalesce(named.obstacle_rank, 9) asc, named.order_line_id asc
            ) as line_rank
        from named
    ) as ranked
    where ranked.line_rank = 1
),

decided as (
    select
        pairs.marketplace_code,
        pairs.entity_code,
        pairs.erp_code,
        pairs.order_id,
        pairs.order_state,
        pairs.created_at,
        pairs.acceptance_due_at,
        pairs.total_amount,
        pairs.currency_code,
        worst.shop_sku,
        worst.item_code,
        worst.offer_id,
        worst.unit_price,
        worst.floor_amount,
        case
            when worst.obstacle_rank = 1 then 'UNKNOWN_ITEM'
            when worst.obstacle_rank = 2 then 'SEVERAL_ITEMS'
            when worst.obstacle_rank = 3 then 'NOT_SELLABLE'
            when worst.obstacle_rank = 4 then 'BELOW_FLOOR'
            when worst.obstacle_rank = 5 then 'TAX_UNDECIDED'
            when worst.obstacle_rank = 6 then 'TAX_BY_HAND'
            when pairs.expected_customer_reference is null or rules.location_name is null or worst.order_id is null
                then 'SET_UP'
        end as obstacle
    from pairs
    inner join rules
        on pairs.marketplace_code = rules.marketplace_code
    left join worst
        on
            pairs.marketplace_code = worst.marketplace_code
            and pairs.order_id = worst.order_id
),

final as (
    select
        decided.marketplace_code,
        decided.entity_code,
        decided.erp_code,
        decided.order_id,
        decided.order_state,
        decided.created_at,
        decided.acceptance_due_at,
        decided.total_amount,
        decided.currency_code,
        decided.obstacle,
        case
            when decided.obstacle = 'UNKNOWN_ITEM' and decided.offer_id is not null then 'ERP_DATA'
            when decided.obstacle in ('UNKNOWN_ITEM', 'NOT_SELLABLE', 'BELOW_FLOOR') then 'OFFER_SETUP'
            when decided.obstacle in ('SEVERAL_ITEMS', 'TAX_UNDECIDED', 'TAX_BY_HAND') then 'ERP_DATA'
            when decided.obstacle = 'SET_UP' then 'CONFIGURATION'
        end as fault_side,
        case decided.obstacle
            when 'UNKNOWN_ITEM'
                then
                    'SKU ' || coalesce(decided.shop_sku, 'none') || ' is no item of the ERP'
                    || case
                        when decided.offer_id is null then ' and no offer of ours: correct the offer or item_map.csv'
                        else ': create the item or map it in item_map.csv'
                    end
            when
                'SEVERAL_ITEMS'
                then 'the ERP has several active items of code ' || decided.item_code || ': make it unique'
            when 'NOT_SELLABLE' then 'item ' || decided.item_code || ' may not be sold in the ERP, yet it was on offer'
            when 'BELOW_FLOOR'
                then
                    'item ' || decided.item_code || ' was sold at ' || cast(decided.unit_price as varchar)
                    || ', below the floor of ' || cast(decided.floor_amount as varchar)
            when 'TAX_UNDECIDED' then 'nobody has decided the tax of item ' || decided.item_code || ' in this sale'
            when 'TAX_BY_HAND'
                then
                    'the sale decides the tax, not item ' || decided.item_code
                    || ', and this ERP takes no tax code with an order: key it there'
            when 'SET_UP'
                then
                    'marketplaces.csv has no customer_reference, order_rules.csv no location_name, or the order has no '
                    || 'line left'
        end as obstacle_words
    from decided
)

select * from final

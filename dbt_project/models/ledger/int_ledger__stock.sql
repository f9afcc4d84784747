-- One row per ERP company, item and warehouse. Quantities in the stock unit; free = in stock - promised to orders, and may be
-- negative. What is reserved without being promised to an order is not deducted.

with
{% if uses('sage200') -%}
sage200 as (
    select
        holdings.erp_code,
        products.item_code,
        warehouses.warehouse_name,
        coalesce(holdings.quantity_in_stock, 0) as quantity_in_stock,
        coalesce(holdings.quantity_allocated, 0) as quantity_allocated,
        coalesce(
            holdings.free_quantity,
            coalesce(holdings.quantity_in_stock, 0) - coalesce(holdings.quantity_allocated, 0)
        ) as free_quantity
    from {{ ref('stg_sage200__warehouse_holdings') }} as holdings
    inner join {{ ref('stg_sage200__products') }} as products
        on
            holdings.erp_code = products.erp_code
            and holdings.product_id = products.product_id
    inner join {{ ref('stg_sage200__warehouses') }} as warehouses
        on
            holdings.erp_code = warehouses.erp_code
            and holdings.warehouse_id = warehouses.warehouse_id
),

{% endif -%}
{% if uses('netsuite') -%}
netsuite as (
    select
        stock.erp_code,
        items.item_code,
        locations.location_name as warehouse_name,
        coalesce(stock.on_hand_quantity, 0) as quantity_in_stock,
        coalesce(stock.committed_quantity, 0) + coalesce(stock.back_ordered_quantity, 0) as quantity_allocated,
        -- Available never falls below nil: what is short stands apart, as back-ordered.
        coalesce(
            stock.available_quantity,
            coalesce(stock.on_hand_quantity, 0) - coalesce(stock.committed_quantity, 0)
        ) - coalesce(stock.back_ordered_quantity, 0) as free_quantity
    from {{ ref('stg_netsuite__stock') }} as stock
    inner join {{ ref('stg_netsuite__items') }} as items
        on
            stock.erp_code = items.erp_code
            and stock.item_id = items.item_id
    inner join {{ ref('stg_netsuite__locations') }} as locations
        on
            stock.erp_code = locations.erp_code
            and stock.location_id = locations.location_id
    inner join {{ ref('stg_tieout__erps') }} as erps
        on stock.erp_code = erps.erp_code
    -- There is a row for every place where an item could be; without any quantity it never was there.
    where
        not items.is_deleted
        and {{ netsuite_belongs_to('locations.subsidiary_ids', 'erps.subsidiary_id') }}
        and coalesce(
            stock.on_hand_quantity, stock.available_quantity, stock.committed_quantity, stock.back_ordered_quantity
        ) is not null
),

{% endif -%}
unioned as (
    {{ union_of_vendors(['sage200', 'netsuite']) }}
),

erps as (
    select * from {{ ref('stg_tieout__erps') }}
),

final as (
    select
        unioned.erp_code,
        erps.entity_code,
        unioned.item_code,
        unioned.warehouse_name,
        cast(sum(unioned.quantity_in_stock) as decimal(18, 4)) as quantity_in_stock,
        cast(sum(unioned.quantity_allocated) as decimal(18, 4)) as quantity_allocated,
        cast(sum(unioned.free_quantity) as decimal(18, 4)) as free_quantity
    from unioned
    inner join erps
        on unioned.erp_code = erps.erp_code
    group by
        unioned.erp_code,
        erps.entity_code,
        unioned.item_code,
        unioned.warehouse_name
)

select * from final

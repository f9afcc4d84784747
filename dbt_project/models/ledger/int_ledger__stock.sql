-- One row per ERP company, item and warehouse. Quantities in the stock unit; free = in stock - allocated, and may be
-- negative. A reservation without an allocation is not deducted: Sage 200 promises it to nobody yet.

with holdings as (
    select * from {{ ref('stg_sage200__warehouse_holdings') }}
),

products as (
    select * from {{ ref('stg_sage200__products') }}
),

warehouses as (
    select * from {{ ref('stg_sage200__warehouses') }}
),

erps as (
    select * from {{ ref('stg_tieout__erps') }}
),

final as (
    select
        holdings.erp_code,
        erps.entity_code,
        products.item_code,
        warehouses.warehouse_name,
        cast(sum(coalesce(holdings.quantity_in_stock, 0)) as decimal(18, 4)) as quantity_in_stock,
        cast(sum(coalesce(holdings.quantity_allocated, 0)) as decimal(18, 4)) as quantity_allocated,
        cast(
            sum(coalesce(
                holdings.free_quantity,
                coalesce(holdings.quantity_in_stock, 0) - coalesce(holdings.quantity_allocated, 0)
            )) as decimal(18, 4)
        ) as free_quantity
    from holdings
    inner join erps
        on holdings.erp_code = erps.erp_code
    inner join products
        on
            holdings.erp_code = products.erp_code
            and holdings.product_id = products.product_id
    inner join warehouses
        on
            holdings.erp_code = warehouses.erp_code
            and holdings.warehouse_id = warehouses.warehouse_id
    group by
        holdings.erp_code,
        erps.entity_code,
        products.item_code,
        warehouses.warehouse_name
)

select * from final

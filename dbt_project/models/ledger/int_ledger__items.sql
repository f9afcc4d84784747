-- One row per ERP company and item. is_discontinued: the ERP holds it inactive today. is_sellable: it may stand on an order.

with products as (
    select * from {{ ref('stg_sage200__products') }}
),

tax_codes as (
    select * from {{ ref('stg_sage200__tax_codes') }}
),

erps as (
    select
        erps.erp_code,
        erps.entity_code,
        {{ local_date(as_of(), 'entities.time_zone') }} as as_of_date
    from {{ ref('stg_tieout__erps') }} as erps
    inner join {{ ref('stg_tieout__entities') }} as entities
        on erps.entity_code = entities.entity_code
),

judged as (
    select
        products.*,
        erps.entity_code,
        coalesce(products.product_status_type, 'EnumStockItemStatusTypeActive') not like '%TypeActive'
        or coalesce(products.inactivation_date <= erps.as_of_date, false) as is_discontinued
    from products
    inner join erps
        on products.erp_code = erps.erp_code
),

final as (
    select
        judged.erp_code,
        judged.entity_code,
        judged.item_code,
        judged.item_name as name,
        judged.is_discontinued,
        not judged.is_discontinued and coalesce(judged.is_sales_order_allowed, true) as is_sellable,
        tax_codes.tax_code,
        tax_codes.rate_percent as tax_rate_percent,
        judged.standard_cost
    from judged
    left join tax_codes
        on
            judged.erp_code = tax_codes.erp_code
            and judged.tax_code_id = tax_codes.tax_code_id
)

select * from final

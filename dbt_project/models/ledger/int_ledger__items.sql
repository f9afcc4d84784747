-- One row per ERP company and item code. is_discontinued: the ERP holds it inactive today. is_sellable: it may stand on an
-- order. When the ERP has several items of one code (item_count > 1) a sellable one speaks for them.

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
        products.erp_code,
        products.product_id,
        products.item_code,
        products.item_name,
        products.tax_code_id,
        products.standard_cost,
        products.is_sales_order_allowed,
        erps.entity_code,
        coalesce(products.product_status_type, 'EnumStockItemStatusTypeActive') not like '%TypeActive'
        or coalesce(products.inactivation_date <= erps.as_of_date, false) as is_discontinued
    from products
    inner join erps
        on products.erp_code = erps.erp_code
),

ranked as (
    select
        judged.*,
        not judged.is_discontinued and coalesce(judged.is_sales_order_allowed, true) as is_sellable,
        count(*) over (partition by judged.erp_code, judged.item_code) as item_count,
        row_number() over (
            partition by judged.erp_code, judged.item_code
            order by
                case
                    when not judged.is_discontinued and coalesce(judged.is_sales_order_allowed, true) then 0
                    else 1
                end,
                judged.product_id
        ) as item_rank
    from judged
),

final as (
    select
        ranked.erp_code,
        ranked.entity_code,
        ranked.item_code,
        ranked.item_name as name,
        ranked.is_discontinued,
        ranked.is_sellable,
        ranked.item_count,
        tax_codes.tax_code,
        tax_codes.rate_percent as tax_rate_percent,
        ranked.standard_cost
    from ranked
    left join tax_codes
        on
            ranked.erp_code = tax_codes.erp_code
            and ranked.tax_code_id = tax_codes.tax_code_id
    where ranked.item_rank = 1
)

select * from final

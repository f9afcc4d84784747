-- One row per ERP company and item code. is_discontinued: the ERP holds it inactive today. is_sellable: it may stand on an
-- order. When the ERP has several active items of one code (item_count > 1) a sellable one speaks for
-- them; one that was retired does not count.

with
{% if uses('sage200') -%}
sage200 as (
    select
        products.erp_code,
        products.product_id as item_id,
        products.item_code,
        products.item_name,
        coalesce(products.product_status_type, 'EnumStockItemStatusTypeActive') not like '%TypeActive' as is_inactive,
        products.inactivation_date,
        coalesce(products.is_sales_order_allowed, true) as is_order_allowed,
        tax_codes.tax_code,
        tax_codes.rate_percent as tax_rate_percent,
        products.standard_cost,
        products.barcode
    from {{ ref('stg_sage200__products') }} as products
    left join {{ ref('stg_sage200__tax_codes') }} as tax_codes
        on
            products.erp_code = tax_codes.erp_code
            and products.tax_code_id = tax_codes.tax_code_id
),

{% endif -%}
{% if uses('netsuite') -%}
netsuite as (
    select
        items.erp_code,
        items.item_id,
        items.item_code,
        items.item_name,
        items.is_inactive,
        cast(null as date) as inactivation_date,
        true as is_order_allowed,
        tax_codes.tax_code,
        tax_codes.rate_percent as tax_rate_percent,
        items.average_cost as standard_cost,
        items.barcode
    from {{ ref('stg_netsuite__items') }} as items
    left join {{ ref('stg_netsuite__tax_codes') }} as tax_codes
        on
            items.erp_code = tax_codes.erp_code
            and items.tax_code_id = tax_codes.tax_code_id
    -- Charges, discounts and groups are items there too.
    where
        not items.is_deleted
        and items.item_type in ('InvtPart', 'NonInvtPart', 'Assembly', 'Kit')
),

{% endif -%}
unioned as (
    {{ union_of_vendors(['sage200', 'netsuite']) }}
),

erps as (
    select
        erps.erp_code,
        erps.entity_code,
        {{ today_in('entities.time_zone') }} as as_of_date
    from {{ ref('stg_tieout__erps') }} as erps
    inner join {{ ref('stg_tieout__entities') }} as entities
        on erps.entity_code = entities.entity_code
),

judged as (
    select
        unioned.*,
        erps.entity_code,
        unioned.is_inactive or coalesce(unioned.inactivation_date <= erps.as_of_date, false) as is_discontinued
    from unioned
    inner join erps
        on unioned.erp_code = erps.erp_code
),

ranked as (
    select
        judged.*,
        not judged.is_discontinued and judged.is_order_allowed as is_sellable,
        sum(case when judged.is_discontinued then 0 else 1 end) over (
            partition by judged.erp_code, judged.item_code
        ) as active_count,
        row_number() over (
            partition by judged.erp_code, judged.item_code
            order by
                case when not judged.is_discontinued and judged.is_order_allowed then 0 else 1 end,
                judged.item_id
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
        cast(greatest(ranked.active_count, 1) as bigint) as item_count,
        ranked.tax_code,
        ranked.tax_rate_percent,
        ranked.standard_cost,
        ranked.barcode
    from ranked
    where ranked.item_rank = 1
)

select * from final

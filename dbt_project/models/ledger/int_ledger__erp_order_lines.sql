-- One row per ERP company, sales order and line. line_kind: ITEM (goods), CHARGE (shipping and the like), OTHER (comments).
-- Amounts net of VAT with the VAT beside them, positive; order_line_id is the marketplace's line when the ERP line names one.
-- vat_analysis_code is what the line carries in the slot that erps.csv names.
-- is_short_closed: the ERP itself says that it will not deliver all that was ordered.

with
{% if uses('sage200') -%}
sage200 as (
    select
        lines.erp_code,
        lines.sop_order_id as erp_order_id,
        lines.sop_order_line_id as erp_order_line_id,
        lines.line_number,
        case
            when lines.line_type = 'EnumLineTypeCharge' then 'CHARGE'
            when lines.line_type = 'EnumLineTypeComment' then 'OTHER'
            when lines.line_type in ('EnumLineTypeStandard', 'EnumLineTypeFreeText') then 'ITEM'
            when lines.product_id is not null then 'ITEM'
            else 'OTHER'
        end as line_kind,
        lines.analysis_code_1 as order_line_id,
        coalesce(products.item_code, lines.item_code) as item_code,
        coalesce(lines.quantity, 0) as quantity,
        coalesce(lines.allocated_quantity, 0) as allocated_quantity,
        coalesce(lines.despatched_quantity, 0) as despatched_quantity,
        coalesce(lines.invoiced_quantity, 0) as invoiced_quantity,
        coalesce(lines.posted_quantity, 0) as posted_quantity,
        lines.unit_price as unit_price_net,
        lines.net_amount,
        coalesce(lines.tax_amount, 0) as tax_amount,
        tax_codes.tax_code,
        tax_codes.rate_percent as tax_rate_percent,
        case erps.vat_analysis_slot
            when '2' then lines.analysis_code_2
            when '3' then lines.analysis_code_3
            when '4' then lines.analysis_code_4
            when '5' then lines.analysis_code_5
        end as vat_analysis_code,
        coalesce(lines.quantity, 0) = 0 as is_short_closed
    from {{ ref('stg_sage200__sop_order_lines') }} as lines
    left join {{ ref('stg_tieout__erps') }} as erps
        on lines.erp_code = erps.erp_code
    left join {{ ref('stg_sage200__tax_codes') }} as tax_codes
        on
            lines.erp_code = tax_codes.erp_code
            and lines.tax_code_id = tax_codes.tax_code_id
    left join {{ ref('stg_sage200__products') }} as products
        on
            lines.erp_code = products.erp_code
            and lines.product_id = products.product_id
),

{% endif -%}
{% if uses('netsuite') -%}
numbered as (
    select
        lines.*,
        -- A tax line follows the line that it taxes.
        sum(case when lines.is_tax_line then 0 else 1 end) over (
            partition by lines.erp_code, lines.order_id
            order by lines.line_sequence, lines.line_number
            rows between unbounded preceding and current row
        ) as taxed_number
    from {{ ref('stg_netsuite__sales_order_lines') }} as lines
    inner join {{ ref('stg_netsuite__sales_orders') }} as orders
        on
            lines.erp_code = orders.erp_code
            and lines.order_id = orders.order_id
            and orders.is_counted
    where
        not lines.is_gone
        and not lines.is_main_line
        -- A kit stands on the order once; its parts and its cost are no further sales.
        and not lines.is_cost_line
        and not lines.is_kit_component
),

line_taxes as (
    select
        erp_code,
        order_id,
        taxed_number,
        -sum(amount) as tax_amount,
        case when min(item_id) = max(item_id) then min(item_id) end as tax_code_id
    from numbered
    where is_tax_line
    group by erp_code, order_id, taxed_number
),

-- Sales lines are negative there. What is closed before it was shipped will never be.
remaining as (
    select
        numbered.*,
        cast(-coalesce(numbered.quantity, 0) as decimal(18, 4)) as ordered_quantity,
        cast(case
            when numbered.is_closed
                then least(-coalesce(numbered.quantity, 0), coalesce(numbered.shipped_quantity, 0))
            else -coalesce(numbered.quantity, 0)
        end as decimal(18, 4)) as remaining_quantity,
        -numbered.amount as ordered_amount,
        coalesce(line_taxes.tax_amount, 0) as ordered_tax_amount,
        line_taxes.tax_code_id
    from numbered
    left join line_taxes
        on
            numbered.erp_code = line_taxes.erp_code
            and numbered.order_id = line_taxes.order_id
            and numbered.taxed_number = line_taxes.taxed_number
    where not numbered.is_tax_line
),

netsuite as (
    select
        remaining.erp_code,
        remaining.order_id as erp_order_id,
        remaining.order_id || '-' || remaining.line_id as erp_order_line_id,
        remaining.line_number,
        case
            when remaining.item_type in ('InvtPart', 'NonInvtPart', 'Assembly', 'Kit', 'Service') then 'ITEM'
            when remaining.item_type in ('OthCharge', 'ShipItem') then 'CHARGE'
            else 'OTHER'
        end as line_kind,
        case
            when remaining.item_type in ('InvtPart', 'NonInvtPart', 'Assembly', 'Kit', 'Service') then remaining.memo
        end as order_line_id,
        items.item_code,
        remaining.remaining_quantity as quantity,
        coalesce(remaining.committed_quantity, 0) as allocated_quantity,
        coalesce(remaining.shipped_quantity, 0) as despatched_quantity,
        coalesce(remaining.billed_quantity, 0) as invoiced_quantity,
        coalesce(remaining.billed_quantity, 0) as posted_quantity,
        remaining.rate as unit_price_net,
        {{ netsuite_part_of_amount('remaining.ordered_amount') }} as net_amount,
        {{ netsuite_part_of_amount('remaining.ordered_tax_amount') }} as tax_amount,
        tax_codes.tax_code,
        tax_codes.rate_percent as tax_rate_percent,
        cast(null as varchar) as vat_analysis_code,
        remaining.remaining_quantity < remaining.ordered_quantity as is_short_closed
    from remaining
    left join {{ ref('stg_netsuite__items') }} as items
        on
            remaining.erp_code = items.erp_code
            and remaining.item_id = items.item_id
    left join {{ ref('stg_netsuite__tax_codes') }} as tax_codes
        on
            remaining.erp_code = tax_codes.erp_code
            and remaining.tax_code_id = tax_codes.tax_code_id
),

{% endif -%}
unioned as (
    {{ union_of_vendors(['sage200', 'netsuite']) }}
),

final as (
    select
        unioned.erp_code,
        unioned.erp_order_id,
        unioned.erp_order_line_id,
        unioned.line_number,
        unioned.line_kind,
        unioned.order_line_id,
        unioned.item_code,
        unioned.quantity,
        unioned.allocated_quantity,
        unioned.despatched_quantity,
        unioned.invoiced_quantity,
        unioned.posted_quantity,
        cast(unioned.unit_price_net as decimal(20, 8)) as unit_price_net,
        {{ money('unioned.net_amount') }} as net_amount,
        {{ money('unioned.tax_amount') }} as tax_amount,
        {{ money('unioned.net_amount + unioned.tax_amount') }} as gross_amount,
        unioned.tax_code,
        unioned.tax_rate_percent,
        unioned.vat_analysis_code,
        unioned.is_short_closed,
        -- A cancelled line that stays on the order has nothing left to deliver.
        unioned.quantity = 0 and unioned.line_kind <> 'CHARGE' as is_cancelled
    from unioned
)

select * from final

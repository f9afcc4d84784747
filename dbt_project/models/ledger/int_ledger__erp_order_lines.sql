-- One row per ERP company, sales order and line. line_kind: ITEM (goods), CHARGE (shipping and the like), OTHER (comments).
-- Amounts net of VAT with the VAT beside them; order_line_id is the marketplace's line when the ERP line names one.

with lines as (
    select * from {{ ref('stg_sage200__sop_order_lines') }}
),

tax_codes as (
    select * from {{ ref('stg_sage200__tax_codes') }}
),

products as (
    select * from {{ ref('stg_sage200__products') }}
),

final as (
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
        {{ money('lines.net_amount') }} as net_amount,
        {{ money('coalesce(lines.tax_amount, 0)') }} as tax_amount,
        {{ money('lines.net_amount + coalesce(lines.tax_amount, 0)') }} as gross_amount,
        tax_codes.tax_code,
        tax_codes.rate_percent as tax_rate_percent,
        -- Sage 200 keeps no mark on a cancelled line that stays on the order: its quantity is set to nil.
        coalesce(lines.quantity, 0) = 0 and lines.line_type <> 'EnumLineTypeCharge' as is_cancelled
    from lines
    left join tax_codes
        on
            lines.erp_code = tax_codes.erp_code
            and lines.tax_code_id = tax_codes.tax_code_id
    left join products
        on
            lines.erp_code = products.erp_code
            and lines.product_id = products.product_id
)

select * from final

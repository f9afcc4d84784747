-- One row per ERP company and sales order. order_reference is the marketplace order as the ERP knows it.
-- status: DRAFT, CANCELLED, ON_HOLD, LIVE, PART_DESPATCHED, DESPATCHED, INVOICED. Where the ERP's own word does not say how
-- much was despatched and invoiced, the quantities of the lines do.

with
item_lines as (
    select
        erp_code,
        erp_order_id,
        cast(sum(quantity) as decimal(18, 4)) as quantity,
        cast(sum(despatched_quantity) as decimal(18, 4)) as despatched_quantity,
        cast(sum(invoiced_quantity) as decimal(18, 4)) as invoiced_quantity
    from {{ ref('int_ledger__erp_order_lines') }}
    where line_kind = 'ITEM'
    group by erp_code, erp_order_id
),

{% if uses('sage200') -%}
filled as (
    select distinct
        erp_code,
        erp_order_id
    from {{ ref('int_ledger__erp_order_lines') }}
    where line_kind <> 'OTHER'
),

sage200 as (
    select
        orders.erp_code,
        orders.sop_order_id as erp_order_id,
        orders.document_no,
        orders.customer_document_no as order_reference,
        customers.customer_reference,
        orders.is_draft,
        coalesce(orders.document_status, '') = 'EnumDocumentStatusCancelled'
        or coalesce(orders.cancelled_status, '') like '%Full'
        -- No call of the vendor cancels an order: one that was emptied holds nothing but comments.
        or (not orders.is_draft and coalesce(orders.gross_amount, 1) = 0 and filled.erp_order_id is null)
            as is_cancelled,
        coalesce(orders.document_status, '') in ('EnumDocumentStatusOnHold', 'EnumDocumentStatusDispute') as is_on_hold,
        -- The header's status has values that the vendor does not publish.
        coalesce(orders.despatch_receipt_status, '') like '%Full' as is_said_despatched,
        false as is_said_invoiced,
        coalesce(order_currency.currency_code, base_currency.currency_code) as currency_code,
        orders.net_amount,
        orders.tax_amount,
        orders.gross_amount,
        orders.analysis_code_1 as analysis_marketplace_code,
        orders.document_date,
        orders.created_at,
        orders.updated_at
    from {{ ref('stg_sage200__sop_orders') }} as orders
    left join filled
        on
            orders.erp_code = filled.erp_code
            and orders.sop_order_id = filled.erp_order_id
    left join {{ ref('stg_sage200__customers') }} as customers
        on
            orders.erp_code = customers.erp_code
            and orders.customer_id = customers.customer_id
    left join {{ ref('stg_sage200__currencies') }} as order_currency
        on
            orders.erp_code = order_currency.erp_code
            and orders.currency_id = order_currency.currency_id
    left join {{ ref('stg_sage200__currencies') }} as base_currency
        on
            orders.erp_code = base_currency.erp_code
            and base_currency.is_base_currency
),

{% endif -%}
{% if uses('netsuite') -%}
order_taxes as (
    select
        erp_code,
        order_id,
        -sum(amount) as tax_amount
    from {{ ref('stg_netsuite__sales_order_lines') }}
    where is_tax_line and not is_gone
    group by erp_code, order_id
),

netsuite as (
    select
        orders.erp_code,
        orders.order_id as erp_order_id,
        orders.document_no,
        orders.order_reference,
        customers.customer_reference,
        false as is_draft,
        orders.status_code = 'C'
        or (orders.status_code = 'H' and coalesce(item_lines.despatched_quantity, 0) = 0) as is_cancelled,
        orders.status_code = 'A' as is_on_hold,
        orders.status_code in ('F', 'G') as is_said_despatched,
        orders.status_code = 'G' as is_said_invoiced,
        currencies.currency_code,
        orders.gross_amount - coalesce(order_taxes.tax_amount, 0) as net_amount,
        coalesce(order_taxes.tax_amount, 0) as tax_amount,
        orders.gross_amount,
        classes.class_name as analysis_marketplace_code,
        orders.document_date,
        orders.created_at,
        orders.updated_at
    from {{ ref('stg_netsuite__sales_orders') }} as orders
    left join item_lines
        on
            orders.erp_code = item_lines.erp_code
            and orders.order_id = item_lines.erp_order_id
    left join order_taxes
        on
            orders.erp_code = order_taxes.erp_code
            and orders.order_id = order_taxes.order_id
    left join {{ ref('stg_netsuite__customers') }} as customers
        on
            orders.erp_code = customers.erp_code
            and orders.customer_id = customers.customer_id
    left join {{ ref('stg_netsuite__currencies') }} as currencies
        on
            orders.erp_code = currencies.erp_code
            and orders.currency_id = currencies.currency_id
    left join {{ ref('stg_netsuite__classes') }} as classes
        on
            orders.erp_code = classes.erp_code
            and orders.class_id = classes.class_id
    where orders.is_counted
),

{% endif -%}
unioned as (
    {{ union_of_vendors(['sage200', 'netsuite']) }}
),

erps as (
    select * from {{ ref('stg_tieout__erps') }}
),

judged as (
    select
        unioned.*,
        erps.entity_code,
        coalesce(item_lines.despatched_quantity, 0) > 0 as is_part_despatched,
        coalesce(item_lines.quantity > 0 and item_lines.despatched_quantity >= item_lines.quantity, false)
        or unioned.is_said_despatched as is_despatched,
        coalesce(item_lines.quantity > 0 and item_lines.invoiced_quantity >= item_lines.quantity, false)
        or unioned.is_said_invoiced as is_invoiced
    from unioned
    inner join erps
        on unioned.erp_code = erps.erp_code
    left join item_lines
        on
            unioned.erp_code = item_lines.erp_code
            and unioned.erp_order_id = item_lines.erp_order_id
),

final as (
    select
        judged.erp_code,
        judged.entity_code,
        judged.erp_order_id,
        judged.document_no,
        judged.order_reference,
        judged.customer_reference,
        case
            when judged.is_draft then 'DRAFT'
            when judged.is_cancelled then 'CANCELLED'
            when judged.is_invoiced then 'INVOICED'
            when judged.is_despatched then 'DESPATCHED'
            when judged.is_part_despatched then 'PART_DESPATCHED'
            when judged.is_on_hold then 'ON_HOLD'
            else 'LIVE'
        end as status,
        judged.is_draft,
        judged.is_cancelled,
        judged.is_despatched,
        judged.is_invoiced,
        judged.currency_code,
        {{ money('judged.net_amount') }} as net_amount,
        {{ money('judged.tax_amount') }} as tax_amount,
        {{ money('judged.gross_amount') }} as gross_amount,
        judged.analysis_marketplace_code,
        judged.document_date,
        judged.created_at,
        judged.updated_at
    from judged
)

select * from final

-- One row per ERP company and sales order. order_reference is the marketplace order as the ERP knows it.
-- status: DRAFT, CANCELLED, ON_HOLD, LIVE, PART_DESPATCHED, DESPATCHED, INVOICED. Despatch is judged by line quantities,
-- because the header's status has values that the vendor does not publish.

with orders as (
    select * from {{ ref('stg_sage200__sop_orders') }}
),

customers as (
    select * from {{ ref('stg_sage200__customers') }}
),

currencies as (
    select * from {{ ref('stg_sage200__currencies') }}
),

erps as (
    select * from {{ ref('stg_tieout__erps') }}
),

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

joined as (
    select
        orders.erp_code,
        erps.entity_code,
        orders.sop_order_id as erp_order_id,
        orders.document_no,
        orders.customer_document_no as order_reference,
        customers.customer_reference,
        orders.document_status,
        orders.is_draft,
        coalesce(orders.document_status, '') = 'EnumDocumentStatusCancelled'
        or coalesce(orders.cancelled_status, '') like '%Full' as is_cancelled,
        coalesce(item_lines.quantity, 0) as quantity,
        coalesce(item_lines.despatched_quantity, 0) as despatched_quantity,
        coalesce(item_lines.invoiced_quantity, 0) as invoiced_quantity,
        coalesce(orders.despatch_receipt_status, '') like '%Full' as is_header_despatched,
        coalesce(order_currency.currency_code, base_currency.currency_code) as currency_code,
        {{ money('orders.net_amount') }} as net_amount,
        {{ money('orders.tax_amount') }} as tax_amount,
        {{ money('orders.gross_amount') }} as gross_amount,
        orders.analysis_code_1 as analysis_marketplace_code,
        orders.document_date,
        orders.created_at,
        orders.updated_at
    from orders
    inner join erps
        on orders.erp_code = erps.erp_code
    left join customers
        on
            orders.erp_code = customers.erp_code
            and orders.customer_id = customers.customer_id
    left join currencies as order_currency
        on
            orders.erp_code = order_currency.erp_code
            and orders.currency_id = order_currency.currency_id
    left join currencies as base_currency
        on
            orders.erp_code = base_currency.erp_code
            and base_currency.is_base_currency
    left join item_lines
        on
            orders.erp_code = item_lines.erp_code
            and orders.sop_order_id = item_lines.erp_order_id
),

judged as (
    select
        joined.*,
        (joined.quantity > 0 and joined.despatched_quantity >= joined.quantity)
        or joined.is_header_despatched as is_despatched,
        joined.quantity > 0 and joined.invoiced_quantity >= joined.quantity as is_invoiced
    from joined
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
            when judged.despatched_quantity > 0 then 'PART_DESPATCHED'
            when judged.document_status in ('EnumDocumentStatusOnHold', 'EnumDocumentStatusDispute') then 'ON_HOLD'
            else 'LIVE'
        end as status,
        judged.is_draft,
        judged.is_cancelled,
        judged.is_despatched,
        judged.is_invoiced,
        judged.currency_code,
        judged.net_amount,
        judged.tax_amount,
        judged.gross_amount,
        judged.analysis_marketplace_code,
        judged.document_date,
        judged.created_at,
        judged.updated_at
    from judged
)

select * from final

-- One row per order of a marketplace with books in an ERP, with the ERP order that stands for it: same ERP company, same order reference, no draft.
-- Of several copies the live one created first is compared; cancelled copies are second choice. Never by name or amount.
-- sync_due_at: until then a difference between the two sides may be the import still at work.

with orders as (
    select * from {{ ref('int_ledger__orders') }}
),

marketplaces as (
    select * from {{ ref('int_ledger__marketplaces') }}
),

sale_taxes as (
    select * from {{ ref('int_matching__sale_taxes') }}
),

copies as (
    select
        erp_orders.*,
        row_number() over (
            partition by erp_orders.erp_code, erp_orders.order_reference
            order by
                case when erp_orders.is_cancelled then 1 else 0 end,
                erp_orders.created_at,
                erp_orders.document_no,
                erp_orders.erp_order_id
        ) as copy_rank,
        count(*) over (partition by erp_orders.erp_code, erp_orders.order_reference) as copy_count,
        sum(case when erp_orders.is_cancelled then 0 else 1 end) over (
            partition by erp_orders.erp_code, erp_orders.order_reference
        ) as live_copy_count,
        sum(case when erp_orders.is_cancelled then 0 else erp_orders.gross_amount end) over (
            partition by erp_orders.erp_code, erp_orders.order_reference
        ) as live_gross_amount,
        max(erp_orders.document_no) over (partition by erp_orders.erp_code, erp_orders.order_reference)
            as last_document_no
    from {{ ref('int_ledger__erp_orders') }} as erp_orders
    where
        not erp_orders.is_draft
        and erp_orders.order_reference is not null
),

line_counts as (
    select
        marketplace_code,
        order_id,
        sum(case when cancelled_quantity > 0 then 1 else 0 end) as cancelled_line_count
    from {{ ref('int_ledger__order_lines') }}
    group by marketplace_code, order_id
),

final as (
    select
        orders.marketplace_code,
        orders.entity_code,
        orders.erp_code,
        orders.order_id,
        orders.order_state,
        orders.order_state in ('CANCELED', 'REFUSED') as is_order_cancelled,
        orders.is_excluded,
        orders.order_date,
        orders.created_at,
        orders.updated_at,
        orders.accepted_at,
        orders.currency_code,
        orders.tax_mode,
        coalesce(sale_taxes.tax_sign, case when orders.tax_mode = 'TAX_EXCLUDED' then 1 else 0 end) as tax_sign,
        sale_taxes.sale_tax_role,
        sale_taxes.sale_tax_code,
        sale_taxes.sale_tax_rate_percent,
        coalesce(sale_taxes.is_decided, true) as is_sale_tax_decided,
        orders.ship_to_country,
        orders.ship_to_state,
        orders.total_amount,
        marketplaces.customer_reference as expected_customer_reference,
        coalesce(line_counts.cancelled_line_count, 0) > 0 as has_cancelations,
        marketplaces.order_import_minutes,
        {{ add_minutes('orders.created_at', 'marketplaces.order_import_minutes') }} as import_due_at,
        {{ add_minutes('orders.created_at', 'marketplaces.acceptance_hours * 60') }} as acceptance_due_at,
        -- At risk once three quarters of the operator's time are gone: enough is left to accept by hand.
        {{ add_minutes('orders.created_at', 'marketplaces.acceptance_hours * 45') }} as acceptance_risk_at,
        {{ add_minutes(
            'greatest(coalesce(orders.updated_at, orders.created_at), '
            ~ 'coalesce(copies.updated_at, copies.created_at, orders.created_at))',
            'marketplaces.order_import_minutes'
        ) }} as sync_due_at,
        copies.erp_order_id,
        copies.document_no,
        copies.last_document_no,
        copies.status as erp_status,
        copies.is_cancelled as is_erp_cancelled,
        copies.gross_amount as erp_gross_amount,
        cast(copies.live_gross_amount as decimal(18, 2)) as erp_live_gross_amount,
        copies.currency_code as erp_currency_code,
        copies.customer_reference as erp_customer_reference,
        copies.analysis_marketplace_code as erp_analysis_marketplace_code,
        coalesce(copies.copy_count, 0) as copy_count,
        coalesce(copies.live_copy_count, 0) as live_copy_count
    from orders
    inner join marketplaces
        on orders.marketplace_code = marketplaces.marketplace_code
    left join sale_taxes
        on
            orders.marketplace_code = sale_taxes.marketplace_code
            and orders.order_id = sale_taxes.order_id
    left join copies
        on
            orders.erp_code = copies.erp_code
            and orders.order_id = copies.order_reference
            and copies.copy_rank = 1
    left join line_counts
        on
            orders.marketplace_code = line_counts.marketplace_code
            and orders.order_id = line_counts.order_id
    where marketplaces.has_books
)

select * from final

-- One row per ERP order of a marketplace: does the marketplace know it? An ERP order belongs to a marketplace by its
-- analysis code, or by the marketplace's customer account when the analysis names no marketplace. Drafts are not orders yet.
{{ config(materialized='view') }}

with erp_orders as (
    select * from {{ ref('int_ledger__erp_orders') }}
),

marketplaces as (
    select * from {{ ref('int_ledger__marketplaces') }}
),

orders as (
    select * from {{ ref('int_ledger__orders') }}
),

claimed as (
    select
        marketplaces.marketplace_code,
        marketplaces.entity_code,
        marketplaces.time_zone,
        marketplaces.go_live_date,
        marketplaces.order_import_minutes,
        erp_orders.erp_order_id,
        erp_orders.document_no,
        erp_orders.order_reference,
        erp_orders.status as erp_status,
        erp_orders.is_cancelled,
        erp_orders.gross_amount,
        erp_orders.currency_code,
        erp_orders.document_date,
        erp_orders.created_at
    from erp_orders
    inner join marketplaces
        on
            erp_orders.erp_code = marketplaces.erp_code
            and (
                erp_orders.analysis_marketplace_code = marketplaces.marketplace_code
                or erp_orders.customer_reference = marketplaces.customer_reference
            )
    left join marketplaces as named
        on erp_orders.analysis_marketplace_code = named.marketplace_code
    where
        not erp_orders.is_draft
        and (named.marketplace_code is null or named.marketplace_code = marketplaces.marketplace_code)
),

final as (
    select
        claimed.marketplace_code,
        claimed.entity_code,
        claimed.document_no,
        claimed.order_reference,
        orders.order_id,
        claimed.currency_code,
        'ORDER_IN_MARKETPLACE' as rule_code,
        case
            when orders.order_id is not null and orders.is_excluded then 'EXCLUDED'
            when orders.order_id is not null then 'MATCHED'
            when claimed.is_cancelled then 'EXCLUDED'
            when claimed.document_date < claimed.go_live_date then 'EXCLUDED'
            when {{ as_of() }} <= {{ add_minutes('claimed.created_at', 'claimed.order_import_minutes') }} then 'TIMING'
            else 'EXCEPTION'
        end as status,
        claimed.gross_amount,
        claimed.erp_status,
        {{ add_minutes('claimed.created_at', 'claimed.order_import_minutes') }} as due_at
    from claimed
    left join orders
        on
            claimed.marketplace_code = orders.marketplace_code
            and claimed.order_reference = orders.order_id
)

select * from final

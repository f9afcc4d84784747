-- One row per marketplace and accounting document of the operator. Amounts are what the operator charges, not the pay-out.

with documents as (
    select * from {{ ref('stg_mirakl__invoices') }}
),

marketplaces as (
    select * from {{ ref('int_ledger__marketplaces') }}
),

final as (
    select
        documents.marketplace_code,
        marketplaces.entity_code,
        {{ shop_of('documents.shop_id') }} as shop_id,
        documents.document_key,
        documents.invoice_id,
        documents.document_type,
        documents.document_state,
        documents.billing_cycle_id,
        documents.currency_code,
        documents.shop_corporate_name as billed_name,
        documents.shop_tax_number as billed_tax_number,
        {{ money('documents.net_amount') }} as net_amount,
        {{ money('documents.gross_amount - documents.net_amount') }} as tax_amount,
        {{ money('documents.gross_amount') }} as gross_amount,
        {{ money('documents.transferred_amount') }} as transferred_amount,
        {{ local_date('coalesce(documents.issued_at, documents.created_at)', 'marketplaces.time_zone') }}
            as document_date,
        {{ local_date('documents.due_at', 'marketplaces.time_zone') }} as due_date,
        documents.payment_state,
        documents.payment_reference,
        {{ local_date('documents.paid_at', 'marketplaces.time_zone') }} as paid_date,
        documents.payment_failure_reason
    from documents
    inner join marketplaces
        on documents.marketplace_code = marketplaces.marketplace_code
)

select * from final

-- One row per company and sales order: the newest version received. Prices are net of VAT.
{{ config(materialized='table') }}

with source as (
    {{ newest_versions(source('raw', 'sage200_sop_orders'), ['id'], 'date_time_updated') }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.id), '') as sop_order_id,
        nullif(trim(source.document_no), '') as document_no,
        nullif(trim(source.customer_document_no), '') as customer_document_no,
        nullif(nullif(trim(source.customer_id), ''), '0') as customer_id,
        nullif(trim(source.document_status), '') as document_status,
        nullif(trim(source.despatch_receipt_status), '') as despatch_receipt_status,
        nullif(trim(source.invoice_credit_status), '') as invoice_credit_status,
        nullif(trim(source.cancelled_status), '') as cancelled_status,
        nullif(nullif(trim(source.currency_id), ''), '0') as currency_id,
        nullif(trim(source.analysis_code_1), '') as analysis_code_1,
        nullif(trim(source.analysis_code_2), '') as analysis_code_2,
        nullif(trim(source.analysis_code_3), '') as analysis_code_3,
        nullif(trim(source.analysis_code_4), '') as analysis_code_4,
        nullif(trim(source.analysis_code_5), '') as analysis_code_5,
        {{ to_decimal('source.subtotal_goods_value') }} as goods_net_amount,
        {{ to_decimal('source.subtotal_charge_net_value') }} as charge_net_amount,
        {{ to_decimal('source.subtotal_charge_tax_value') }} as charge_tax_amount,
        {{ to_decimal('source.total_net_value') }} as net_amount,
        {{ to_decimal('source.total_tax_value') }} as tax_amount,
        {{ to_decimal('source.total_gross_value') }} as gross_amount,
        coalesce(source.is_draft, false) as is_draft,
        {{ calendar_date('source.document_date') }} as document_date,
        {{ calendar_date('source.requested_delivery_date') }} as requested_delivery_date,
        {{ calendar_date('source.promised_delivery_date') }} as promised_delivery_date,
        {{ utc_timestamp('source.date_time_created') }} as created_at,
        {{ utc_timestamp('source.date_time_updated') }} as updated_at,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

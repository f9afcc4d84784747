-- One row per posted sales ledger transaction. Invoices positive; receipts and credit notes negative.
{{ config(materialized='table') }}

with source as (
    {{ newest_versions(source('raw', 'sage200_sales_posted_transactions'), ['id'], 'date_time_updated') }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.id), '') as posted_transaction_id,
        nullif(nullif(trim(source.customer_id), ''), '0') as customer_id,
        nullif(trim(source.trader_transaction_type), '') as trader_transaction_type,
        nullif(trim(source.reference), '') as reference,
        nullif(trim(source.second_reference), '') as second_reference,
        nullif(trim(source.urn), '') as urn,
        nullif(trim(source.user_name), '') as user_name,
        {{ to_decimal('source.document_goods_value') }} as goods_amount,
        {{ to_decimal('source.document_tax_value') }} as tax_amount,
        {{ to_decimal('source.document_gross_value') }} as gross_amount,
        {{ to_decimal('source.document_outstanding_value') }} as outstanding_amount,
        {{ to_decimal('source.document_allocated_value') }} as allocated_amount,
        {{ to_decimal('source.base_gross_value') }} as base_gross_amount,
        {{ calendar_date('source.transaction_date') }} as transaction_date,
        {{ calendar_date('source.posted_date') }} as posted_date,
        {{ utc_timestamp('source.date_time_created') }} as created_at,
        {{ utc_timestamp('source.date_time_updated') }} as updated_at,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

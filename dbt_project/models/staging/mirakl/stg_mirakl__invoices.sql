-- One row per accounting document of the operator. Totals are what the shop is charged; the pay-out is
-- transferred_amount.
{{ config(materialized='table') }}

with source as (
    {{ newest_snapshot(source('raw', 'mirakl_invoices'), 'mirakl', 'invoices', ['id']) }}
),

final as (
    select
        source._account as marketplace_code,
        nullif(trim(source.id), '') as document_key,
        nullif(trim(source.invoice_id), '') as invoice_id,
        upper(nullif(trim(source.type), '')) as document_type,
        upper(nullif(trim(source.state), '')) as document_state,
        nullif(trim(source.seller_billing_cycle_id), '') as billing_cycle_id,
        upper(nullif(trim(source.payment_state), '')) as payment_state,
        nullif(trim(source.payment_reference), '') as payment_reference,
        nullif(trim(source.payment_failure_reason), '') as payment_failure_reason,
        nullif(trim(source.shop_id), '') as shop_id,
        nullif(trim(source.shop_corporate_name), '') as shop_corporate_name,
        nullif(trim(source.shop_tax_number), '') as shop_tax_number,
        upper(nullif(trim(source.currency_iso_code), '')) as currency_code,
        {{ to_decimal('source.total_amount_excl_taxes') }} as net_amount,
        {{ to_decimal('source.total_amount_incl_taxes') }} as gross_amount,
        {{ to_decimal('source.amount_transferred') }} as transferred_amount,
        {{ utc_timestamp('source.date_created') }} as created_at,
        {{ utc_timestamp('source.issue_date') }} as issued_at,
        {{ utc_timestamp('source.due_date') }} as due_at,
        {{ utc_timestamp('source.start_time') }} as started_at,
        {{ utc_timestamp('source.end_time') }} as ended_at,
        {{ utc_timestamp('source.payment_transaction_date') }} as paid_at,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

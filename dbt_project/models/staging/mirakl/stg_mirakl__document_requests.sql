-- One row per invoice or credit note that somebody has to issue, the newest version received.

with source as (
    {{ newest_versions(source('raw', 'mirakl_document_requests'), ['id'], 'last_updated') }}
),

final as (
    select
        source._account as marketplace_code,
        nullif(trim(source.id), '') as document_request_id,
        upper(nullif(trim(source.type), '')) as document_type,
        upper(nullif(trim(source.state), '')) as request_state,
        upper(nullif(trim(source.entity_type), '')) as entity_type,
        nullif(trim(source.entity_id), '') as entity_id,
        nullif(trim(source.document_number), '') as document_number,
        upper(nullif(trim(source.issuer_type), '')) as issuer_type,
        nullif(trim(source.issuer_id), '') as issuer_id,
        upper(nullif(trim(source.recipient_type), '')) as recipient_type,
        nullif(trim(source.shop_billing_cycle_id), '') as billing_cycle_id,
        upper(nullif(trim(source.payment_state), '')) as payment_state,
        nullif(trim(source.payment_reference), '') as payment_reference,
        upper(nullif(trim(source.currency_iso_code), '')) as currency_code,
        {{ to_decimal('source.total_amount_excluding_taxes') }} as net_amount,
        {{ to_decimal('source.total_tax_amount') }} as tax_amount,
        {{ to_decimal('source.total_amount_including_taxes') }} as gross_amount,
        {{ utc_timestamp('source.date_created') }} as created_at,
        {{ utc_timestamp('source.issue_date') }} as issued_at,
        {{ utc_timestamp('source.due_date') }} as due_at,
        {{ utc_timestamp('source.payment_transaction_date') }} as paid_at,
        {{ utc_timestamp('source.last_updated') }} as updated_at,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

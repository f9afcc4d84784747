-- One row per document that is attached to an order. Names of files stay in the evidence.

with source as (
    {{ newest_versions(source('raw', 'mirakl_order_documents'), ['id']) }}
),

final as (
    select
        source._account as marketplace_code,
        nullif(trim(source.id), '') as order_document_id,
        nullif(trim(source.order_id), '') as order_id,
        nullif(trim(source.type), '') as document_type,
        {{ to_decimal('source.file_size') }} as byte_count,
        {{ utc_timestamp('source.date_uploaded') }} as uploaded_at,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

-- One row per document that was downloaded and kept as evidence: what it hashes to, not what it says.

with source as (
    {{ newest_versions(source('raw', 'mirakl_invoice_files'), ['document_id']) }}
),

final as (
    select
        source._account as marketplace_code,
        nullif(trim(source.document_id), '') as document_key,
        nullif(trim(source.sha256), '') as sha256,
        {{ to_decimal('source.byte_count') }} as byte_count,
        nullif(trim(source.content_type), '') as content_type,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

-- One row per line of a document request, read when the request was new or had changed.

with source as (
    {{ newest_versions(source('raw', 'mirakl_document_request_lines'), ['id']) }}
),

final as (
    select
        source._account as marketplace_code,
        nullif(trim(source.id), '') as document_request_line_id,
        nullif(trim(source.document_request_id), '') as document_request_id,
        upper(nullif(trim(source.entity_type), '')) as entity_type,
        nullif(trim(source.order_id), '') as order_id,
        nullif(trim(source.order_line_id), '') as order_line_id,
        nullif(trim(source.shop_id), '') as shop_id,
        {{ to_decimal('source.quantity') }} as quantity,
        {{ to_decimal('source.price_excluding_taxes') }} as net_amount,
        {{ to_decimal('source.shipping_price_excluding_taxes') }} as shipping_net_amount,
        {{ to_decimal('source.total_price_including_taxes') }} as gross_amount,
        {{ utc_timestamp('source.operation_date') }} as operation_at,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

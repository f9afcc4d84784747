-- One row per shipment of an order, the newest version received.

with source as (
    {{ newest_versions(source('raw', 'mirakl_shipments'), ['id'], 'last_updated_date') }}
),

final as (
    select
        source._account as marketplace_code,
        nullif(trim(source.id), '') as shipment_id,
        nullif(trim(source.order_id), '') as order_id,
        nullif(trim(source.shop_id), '') as shop_id,
        upper(nullif(trim(source.status), '')) as shipment_state,
        upper(nullif(trim(source.status_customer_debit), '')) as debit_state,
        nullif(trim(source.carrier_code), '') as carrier_code,
        nullif(trim(source.carrier_name), '') as carrier_name,
        nullif(trim(source.tracking_number), '') as tracking_number,
        upper(nullif(trim(source.tracking_validity_status), '')) as tracking_state,
        nullif(trim(source.invoice_reference), '') as invoice_reference,
        nullif(trim(source.transaction_number), '') as transaction_number,
        {{ utc_timestamp('source.created_date') }} as created_at,
        {{ utc_timestamp('source.shipped_date') }} as shipped_at,
        {{ utc_timestamp('source.customer_debited_date') }} as customer_debited_at,
        {{ utc_timestamp('source.last_updated_date') }} as updated_at,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

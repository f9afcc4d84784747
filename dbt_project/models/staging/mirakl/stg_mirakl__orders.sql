-- One row per marketplace and order: the newest version received. Amounts in the tax mode and currency of the order.
{{ config(materialized='table') }}

with source as (
    {{ newest_versions(source('raw', 'mirakl_orders'), ['order_id'], 'last_updated_date') }}
),

final as (
    select
        source._account as marketplace_code,
        nullif(trim(source.order_id), '') as order_id,
        nullif(trim(source.commercial_id), '') as commercial_id,
        nullif(trim(source.shop_id), '') as shop_id,
        upper(nullif(trim(source.order_state), '')) as order_state,
        nullif(trim(source.order_state_reason_code), '') as order_state_reason_code,
        upper(nullif(trim(source.order_tax_mode), '')) as tax_mode,
        nullif(trim(source.payment_workflow), '') as payment_workflow,
        upper(nullif(trim(source.currency_iso_code), '')) as currency_code,
        nullif(trim(source.channel_code), '') as channel_code,
        nullif(trim(source.shipping_carrier_code), '') as shipping_carrier_code,
        nullif(trim(source.shipping_company), '') as shipping_company,
        nullif(trim(source.shipping_tracking), '') as shipping_tracking,
        nullif(trim(source.shipping_type_code), '') as shipping_type_code,
        nullif(trim(source.shipping_zone_code), '') as shipping_zone_code,
        nullif(trim(source.order_reference_for_customer), '') as order_reference_for_customer,
        nullif(trim(source.order_reference_for_seller), '') as order_reference_for_seller,
        nullif(trim(source.transaction_number), '') as transaction_number,
        nullif(trim(source.ship_to_country), '') as ship_to_country,
        nullif(trim(source.ship_to_state), '') as ship_to_state,
        nullif(trim(source.ship_to_postcode_district), '') as ship_to_postcode_district,
        {{ to_decimal('source.price') }} as price_amount,
        {{ to_decimal('source.shipping_price') }} as shipping_amount,
        {{ to_decimal('source.total_price') }} as total_amount,
        {{ to_decimal('source.total_commission') }} as total_commission_amount,
        coalesce(source.has_incident, false) as has_incident,
        coalesce(source.fully_refunded, false) as is_fully_refunded,
        {{ utc_timestamp('source.created_date') }} as created_at,
        {{ utc_timestamp('source.acceptance_decision_date') }} as accepted_at,
        {{ utc_timestamp('source.customer_debited_date') }} as customer_debited_at,
        {{ utc_timestamp('source.shipping_deadline') }} as shipping_deadline_at,
        {{ utc_timestamp('source.transaction_date') }} as transaction_at,
        {{ utc_timestamp('source.last_updated_date') }} as updated_at,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

-- One row per marketplace: the platform's settings.
{{ config(materialized='table') }}

with source as (
    {{ newest_snapshot(source('raw', 'mirakl_platform'), 'mirakl', 'platform', []) }}
),

final as (
    select
        source._account as marketplace_code,
        upper(nullif(trim(source.order_tax_mode), '')) as tax_mode,
        nullif(trim(source.offer_prices_decimals), '') as offer_prices_decimals,
        upper(nullif(trim(source.operator_csv_delimiter), '')) as operator_csv_delimiter,
        upper(nullif(trim(source.order_acceptance), '')) as order_acceptance,
        nullif(trim(source.time_zone), '') as time_zone,
        source.payment_confirmation as has_payment_confirmation,
        source.multi_shipment as is_multi_shipment,
        not coalesce(source.disable_seller_alternative_carrier, false) as is_free_carrier_allowed,
        source.tax_collection_by_operator as is_tax_collected_by_operator,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

-- One row per carrier that the marketplace knows.
{{ config(materialized='table') }}

with source as (
    {{ newest_snapshot(source('raw', 'mirakl_carriers'), 'mirakl', 'carriers', ['code']) }}
),

final as (
    select
        source._account as marketplace_code,
        nullif(trim(source.code), '') as carrier_code,
        nullif(trim(source.label), '') as carrier_name,
        nullif(trim(source.standard_code), '') as standard_code,
        nullif(trim(source.tracking_url), '') as tracking_url,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

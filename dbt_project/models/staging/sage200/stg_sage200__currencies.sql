-- One row per currency of the company. rate_against_base: units of the currency for one unit of the base currency, as at the reading.
{{ config(materialized='table') }}

with source as (
    {{ newest_snapshot(source('raw', 'sage200_currencies'), 'sage200', 'currencies', ['id']) }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.id), '') as currency_id,
        nullif(trim(source.name), '') as currency_name,
        nullif(trim(source.symbol), '') as currency_symbol,
        upper(nullif(trim(source.currency_iso_code), '')) as currency_code,
        nullif(nullif(trim(source.currency_iso_code_id), ''), '0') as currency_iso_code_id,
        {{ to_decimal('source.core_currency_rate', 8) }} as rate_against_base,
        source.is_base_currency,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

-- One row per tax code of the company. The id differs between companies, the code is what people know.
{{ config(materialized='table') }}

with source as (
    {{ newest_snapshot(source('raw', 'sage200_tax_codes'), 'sage200', 'tax_codes', ['id']) }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.id), '') as tax_code_id,
        nullif(trim(source.code), '') as tax_code,
        nullif(trim(source.name), '') as tax_code_name,
        {{ to_decimal('source.tax_rate', 6) }} as rate_percent,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

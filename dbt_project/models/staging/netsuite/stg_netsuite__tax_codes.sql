-- One row per tax code of the account.

with source as (
    {{ newest_snapshot(source('raw', 'netsuite_tax_codes'), 'netsuite', 'tax_codes', ['id']) }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.id), '') as tax_code_id,
        nullif(trim(source.name), '') as tax_code,
        {{ to_decimal("replace(source.rate, '%', '')", 6) }} as rate_percent,
        coalesce(source.isinactive, false) as is_inactive,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

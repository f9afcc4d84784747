-- One row per currency of the account. The symbol is the ISO code; the name is free text.

with source as (
    {{ newest_snapshot(source('raw', 'netsuite_currencies'), 'netsuite', 'currencies', ['id']) }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.id), '') as currency_id,
        nullif(trim(source.name), '') as currency_name,
        upper(nullif(trim(source.symbol), '')) as currency_code,
        {{ to_decimal('source.exchangerate', 8) }} as exchange_rate,
        try_cast(nullif(trim(source.currencyprecision), '') as integer) as decimals,
        coalesce(source.isbasecurrency, false) as is_base_currency,
        coalesce(source.isinactive, false) as is_inactive,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

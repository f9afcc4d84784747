-- One row per pair of currencies and day from which the rate holds: base units for one unit of the transaction's currency.

with source as (
    {{ newest_snapshot(
        source('raw', 'netsuite_currency_rates'),
        'netsuite',
        'currency_rates',
        ['basecurrency', 'transactioncurrency', 'effectivedate']
    ) }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.basecurrency), '') as base_currency_id,
        nullif(trim(source.transactioncurrency), '') as currency_id,
        {{ calendar_date('source.effectivedate') }} as effective_date,
        {{ to_decimal('source.exchangerate', 8) }} as exchange_rate,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

-- Rates that the user keeps: what one unit of currency_code is worth in quote_currency_code from rate_date on.

with source as (
    select * from {{ ref('exchange_rates') }}
),

final as (
    select
        upper(nullif(trim(source.rate_source), '')) as rate_source,
        upper(nullif(trim(source.currency_code), '')) as currency_code,
        upper(nullif(trim(source.quote_currency_code), '')) as quote_currency_code,
        {{ calendar_date('source.rate_date') }} as rate_date,
        {{ to_decimal('source.rate', 8) }} as rate
    from source
)

select * from final

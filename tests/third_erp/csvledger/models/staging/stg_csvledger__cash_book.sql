-- One row per company and line of the newest cash book. amount > 0 is money in.

with source as (
    {{ newest_snapshot(source('raw', 'csvledger_cash_book'), 'csvledger', 'cash_book', ['id']) }}
),

final as (
    select
        source._account as erp_code,
        source.id as line_id,
        source.urn,
        {{ calendar_date('source.date') }} as transaction_date,
        source.bank as bank_code,
        {{ to_decimal('source.amount') }} as amount,
        source.text as entry_text
    from source
)

select * from final

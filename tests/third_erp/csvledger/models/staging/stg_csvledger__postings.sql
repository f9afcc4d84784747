-- One row per company and leg of the newest file.

with source as (
    {{ newest_snapshot(source('raw', 'csvledger_postings'), 'csvledger', 'postings', ['id']) }}
),

final as (
    select
        source._account as erp_code,
        source.id as posting_id,
        source.urn,
        {{ calendar_date('source.date') }} as transaction_date,
        source.account as account_code,
        {{ to_decimal('source.debit') }} as debit,
        {{ to_decimal('source.credit') }} as credit,
        source.reference,
        source.narrative
    from source
)

select * from final

-- One row per posted cash-book transaction. Receipts positive, payments negative, also where a site shows them positive: no
-- document says which of the two it does.
{{ config(materialized='table') }}

with source as (
    {{ newest_versions(source('raw', 'sage200_bank_posted_transactions'), ['id'], 'date_time_updated') }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.id), '') as posted_transaction_id,
        nullif(nullif(trim(source.bank_id), ''), '0') as bank_id,
        nullif(trim(source.bank_transaction_type), '') as bank_transaction_type,
        nullif(trim(source.reference), '') as reference,
        nullif(trim(source.second_reference), '') as second_reference,
        nullif(trim(source.entry_description), '') as narrative,
        nullif(trim(source.urn), '') as urn,
        nullif(trim(source.user_name), '') as user_name,
        nullif(trim(source.source), '') as source_ledger,
        case
            when trim(source.bank_transaction_type) = 'Payment' then -abs({{ to_decimal('source.cheque_value') }})
            else {{ to_decimal('source.cheque_value') }}
        end as amount,
        {{ calendar_date('source.transaction_date') }} as transaction_date,
        {{ calendar_date('source.posted_date') }} as posted_date,
        {{ utc_timestamp('source.date_time_updated') }} as updated_at,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

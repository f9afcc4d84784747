-- One row per bank account and entry reference; a later file of the same entry replaces the earlier one. amount > 0
-- is money in.
{{ config(materialized='table') }}

with source as (
    {{ newest_versions(source('raw', 'bank_statement_entries'), ['entry_reference'], none) }}
),

final as (
    select
        source._account as bank_account_code,
        nullif(trim(source.statement_id), '') as statement_id,
        nullif(trim(source.entry_reference), '') as entry_reference,
        upper(nullif(trim(source.currency), '')) as currency_code,
        nullif(trim(source.counterparty_name), '') as counterparty_name,
        nullif(trim(source.counterparty_account_hash), '') as counterparty_account_hash,
        nullif(trim(source.remittance_information), '') as remittance_information,
        nullif(trim(source.end_to_end_id), '') as end_to_end_id,
        nullif(trim(source.transaction_code), '') as transaction_code,
        {{ to_decimal('source.amount') }} as amount,
        coalesce(source.is_reversal, false) as is_reversal,
        {{ calendar_date('source.booking_date') }} as booking_date,
        {{ calendar_date('source.value_date') }} as value_date,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

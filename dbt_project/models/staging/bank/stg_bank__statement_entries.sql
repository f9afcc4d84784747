-- One row per bank account and entry reference; a later file of the same entry replaces the earlier one. amount > 0
-- is money in. original_amount: what was sent in another currency. is_reference_reused: an earlier file used the reference for
-- another entry, which this one has displaced; a correction that says so (same direction, marked as a reversal) is none.
{{ config(materialized='table') }}

with source as (
    {{ newest_versions(source('raw', 'bank_statement_entries'), ['entry_reference'], none) }}
),

displaced as (
    select distinct
        source._account,
        source.entry_reference
    from source
    inner join {{ source('raw', 'bank_statement_entries') }} as earlier
        on
            source._account = earlier._account
            and source.entry_reference = earlier.entry_reference
    where
        (
            {{ calendar_date('source.booking_date') }} <> {{ calendar_date('earlier.booking_date') }}
            or {{ to_decimal('source.amount') }} <> {{ to_decimal('earlier.amount') }}
            or upper(trim(source.currency)) <> upper(trim(earlier.currency))
        )
        and not (
            coalesce(source.is_reversal, false)
            and {{ to_decimal('source.amount') }} * {{ to_decimal('earlier.amount') }} > 0
        )
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
        {{ to_decimal('source.original_amount') }} as original_amount,
        upper(nullif(trim(source.original_currency), '')) as original_currency_code,
        coalesce(source.is_reversal, false) as is_reversal,
        displaced.entry_reference is not null as is_reference_reused,
        {{ calendar_date('source.booking_date') }} as booking_date,
        {{ calendar_date('source.value_date') }} as value_date,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
    left join displaced
        on
            source._account = displaced._account
            and source.entry_reference = displaced.entry_reference
)

select * from final

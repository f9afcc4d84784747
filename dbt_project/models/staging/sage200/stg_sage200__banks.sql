-- One row per cash-book account and the nominal account behind it.
{{ config(materialized='table') }}

with source as (
    {{ newest_snapshot(source('raw', 'sage200_banks'), 'sage200', 'banks', ['id']) }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.id), '') as bank_id,
        nullif(trim(source.code), '') as bank_code,
        nullif(trim(source.name), '') as bank_name,
        nullif(nullif(trim(source.account_currency_id), ''), '0') as currency_id,
        nullif(trim(source.bank_account_nominal_reference), '') as nominal_reference,
        nullif(trim(source.bank_account_nominal_cost_centre), '') as nominal_cost_centre,
        nullif(trim(source.bank_account_nominal_department), '') as nominal_department,
        {{ to_decimal('source.balance') }} as balance,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

-- One row per posted nominal leg. Debit and credit are both unsigned; one of them is zero. Only what a model reads.
{{ config(materialized='table') }}

with source as (
    {{ newest_versions(source('raw', 'sage200_nominal_transactions'), ['id'], none) }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.id), '') as nominal_transaction_id,
        nullif(nullif(trim(source.nominal_code_id), ''), '0') as nominal_code_id,
        nullif(nullif(trim(source.accounting_period_id), ''), '0') as accounting_period_id,
        nullif(trim(source.reference), '') as reference,
        nullif(trim(source.narrative), '') as narrative,
        nullif(trim(source.urn), '') as urn,
        {{ to_decimal('source.debit') }} as debit,
        {{ to_decimal('source.credit') }} as credit,
        {{ calendar_date('source.transaction_date') }} as transaction_date,
        source._file,
        source._position
    from source
)

select * from final

-- One row per posted nominal leg. Debit and credit are both unsigned; one of them is zero.
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
        nullif(nullif(trim(source.financial_year_id), ''), '0') as financial_year_id,
        try_cast(nullif(trim(source.period_number), '') as bigint) as period_number,
        nullif(trim(source.reference), '') as reference,
        nullif(trim(source.narrative), '') as narrative,
        nullif(trim(source.transaction_analysis_code), '') as transaction_analysis_code,
        nullif(trim(source.urn), '') as urn,
        nullif(trim(source.user_name), '') as user_name,
        nullif(trim(source.source), '') as source_ledger,
        {{ to_decimal('source.debit') }} as debit,
        {{ to_decimal('source.credit') }} as credit,
        {{ calendar_date('source.transaction_date') }} as transaction_date,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

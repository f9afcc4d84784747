-- One row per customer account. balance > 0 means that the customer owes us.
{{ config(materialized='table') }}

with source as (
    {{ newest_snapshot(source('raw', 'sage200_customers'), 'sage200', 'customers', ['id']) }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.id), '') as customer_id,
        nullif(trim(source.reference), '') as customer_reference,
        nullif(trim(source.name), '') as customer_name,
        nullif(nullif(trim(source.currency_id), ''), '0') as currency_id,
        nullif(trim(source.account_status_type), '') as account_status_type,
        {{ to_decimal('source.balance') }} as balance,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

-- One row per nominal account: code, cost centre and department together are its identity.
{{ config(materialized='table') }}

with source as (
    {{ newest_snapshot(source('raw', 'sage200_nominal_codes'), 'sage200', 'nominal_codes', ['id']) }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.id), '') as nominal_code_id,
        nullif(trim(source.reference), '') as account_code,
        nullif(trim(source.cost_centre_code), '') as cost_centre,
        nullif(trim(source.department_code), '') as department,
        nullif(trim(source.name), '') as account_name,
        nullif(trim(source.nominal_account_type), '') as nominal_account_type,
        nullif(trim(source.account_status_type), '') as account_status_type,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

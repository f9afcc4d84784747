-- One row per account of the chart. The number may be missing; then the name stands for it.

with source as (
    {{ newest_snapshot(source('raw', 'netsuite_accounts'), 'netsuite', 'accounts', ['id']) }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.id), '') as account_id,
        coalesce(nullif(trim(source.acctnumber), ''), nullif(trim(source.fullname), '')) as account_code,
        nullif(trim(source.fullname), '') as account_name,
        nullif(trim(source.accttype), '') as account_type,
        nullif(trim(source.currency), '') as currency_id,
        coalesce(source.isinactive, false) as is_inactive,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

-- One row per customer, deleted ones too. customer_reference is the id that people see. No names of private
-- persons.
{{ config(materialized='table') }}

with source as (
    {{ newest_versions(source('raw', 'netsuite_customers'), ['id'], 'lastmodifieddate') }}
),

deleted as (
    {{ netsuite_deleted('CUSTOMER') }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.id), '') as customer_id,
        nullif(trim(source.entityid), '') as customer_reference,
        case when not coalesce(source.isperson, true) then nullif(trim(source.companyname), '') end as company_name,
        nullif(trim(source.currency), '') as currency_id,
        coalesce(source.isinactive, false) as is_inactive,
        {{ utc_timestamp('source.lastmodifieddate') }} as updated_at,
        deleted.record_id is not null as is_deleted,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
    left join deleted
        on
            source._account = deleted.erp_code
            and trim(source.id) = deleted.record_id
)

select * from final

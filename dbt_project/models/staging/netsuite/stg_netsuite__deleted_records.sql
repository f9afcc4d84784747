-- One row per record that was deleted in NetSuite. record_kind: TRANSACTION, ITEM, CUSTOMER or OTHER; ids of different kinds
-- may be equal. Lines go with their transaction and are not named.
{{ config(materialized='table') }}

with source as (
    {{ newest_versions(source('raw', 'netsuite_deleted_records'), ['recordid', 'recordtypeid'], 'deleteddate') }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.recordid), '') as record_id,
        nullif(trim(source.recordtypeid), '') as record_type_id,
        case nullif(trim(source.recordtypeid), '')
            when '-30' then 'TRANSACTION'
            when '-10' then 'ITEM'
            when '-2' then 'CUSTOMER'
            else 'OTHER'
        end as record_kind,
        nullif(trim(source.type), '') as record_type,
        {{ utc_timestamp('source.deleteddate') }} as deleted_at,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

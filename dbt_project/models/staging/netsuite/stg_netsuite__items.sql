-- One row per item, deleted ones too. item_code is the SKU: of a child of a matrix the part after its parent's name.
{{ config(materialized='table') }}

with source as (
    {{ newest_versions(source('raw', 'netsuite_items'), ['id'], 'lastmodifieddate') }}
),

deleted as (
    {{ netsuite_deleted('ITEM') }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.id), '') as item_id,
        {{ netsuite_own_name("nullif(trim(source.itemid), '')") }} as item_code,
        coalesce(nullif(trim(source.displayname), ''), nullif(trim(source.description), '')) as item_name,
        nullif(trim(source.itemtype), '') as item_type,
        nullif(trim(source.upccode), '') as barcode,
        nullif(trim(source.salestaxcode), '') as tax_code_id,
        {{ to_decimal('source.averagecost', 6) }} as average_cost,
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

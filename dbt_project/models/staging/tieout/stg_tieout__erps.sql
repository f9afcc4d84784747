-- ERP companies.

with source as (
    select * from {{ ref('erps') }}
),

final as (
    select
        nullif(trim(source.erp_code), '') as erp_code,
        nullif(trim(source.vendor), '') as vendor,
        nullif(trim(source.entity_code), '') as entity_code,
        nullif(trim(source.company_id), '') as company_id,
        nullif(trim(source.subsidiary_id), '') as subsidiary_id,
        nullif(trim(source.vat_analysis_slot), '') as vat_analysis_slot,
        lower(trim(coalesce(source.is_enabled, ''))) in ('true', 't', 'yes', 'y', '1', 'on') as is_enabled
    from source
)

select * from final

-- How the ERP's carriers are known at the marketplaces.

with source as (
    select * from {{ ref('carriers') }}
),

final as (
    select
        nullif(trim(source.erp_code), '') as erp_code,
        nullif(trim(source.erp_carrier), '') as erp_carrier,
        nullif(trim(source.marketplace_code), '') as marketplace_code,
        nullif(trim(source.carrier_code), '') as carrier_code,
        lower(trim(coalesce(source.is_tracked, ''))) in ('true', 't', 'yes', 'y', '1', 'on') as is_tracked,
        nullif(trim(source.tracking_url), '') as tracking_url
    from source
)

select * from final

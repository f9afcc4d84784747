-- Warehouses and whether they are for sale.

with source as (
    select * from {{ ref('warehouses') }}
),

final as (
    select
        nullif(trim(source.erp_code), '') as erp_code,
        nullif(trim(source.warehouse_name), '') as warehouse_name,
        nullif(trim(source.marketplace_code), '') as marketplace_code,
        lower(trim(coalesce(source.is_for_sale, ''))) in ('true', 't', 'yes', 'y', '1', 'on') as is_for_sale,
        nullif(trim(source.reason), '') as reason
    from source
)

select * from final

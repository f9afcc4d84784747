-- Suppliers of the marketplaces' fees, effective-dated.

with source as (
    select * from {{ ref('fee_suppliers') }}
),

final as (
    select
        nullif(trim(source.marketplace_code), '') as marketplace_code,
        upper(nullif(trim(source.transaction_type), '')) as transaction_type,
        nullif(trim(source.supplier_name), '') as supplier_name,
        upper(nullif(trim(source.supplier_country), '')) as supplier_country,
        {{ calendar_date('source.effective_from') }} as effective_from
    from source
)

select * from final

-- Price lists that a marketplace's offers keep to, effective-dated: effective_until is the first day that a list no longer holds.

with source as (
    select * from {{ ref('price_lists') }}
),

final as (
    select
        nullif(trim(source.marketplace_code), '') as marketplace_code,
        nullif(trim(source.price_list), '') as price_list,
        cast(source.priority as integer) as priority,
        upper(nullif(trim(source.tax_basis), '')) as tax_basis,
        {{ calendar_date('source.effective_from') }} as effective_from,
        {{ calendar_date('source.effective_until') }} as effective_until
    from source
)

select * from final

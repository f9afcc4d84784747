-- Tax role map, effective-dated.

with source as (
    select * from {{ ref('tax_codes') }}
),

final as (
    select
        nullif(trim(source.entity_code), '') as entity_code,
        upper(nullif(trim(source.tax_role), '')) as tax_role,
        nullif(trim(source.erp_tax_code), '') as erp_tax_code,
        {{ to_decimal('source.rate_percent') }} as rate_percent,
        {{ calendar_date('source.effective_from') }} as effective_from
    from source
)

select * from final

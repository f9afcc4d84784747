-- Who accounts for the tax of a sale, by where it goes; effective-dated.

with source as (
    select * from {{ ref('tax_regimes') }}
),

final as (
    select
        nullif(trim(source.marketplace_code), '') as marketplace_code,
        upper(nullif(trim(source.ship_to_country), '')) as ship_to_country,
        {{ to_decimal('source.consignment_limit') }} as consignment_limit,
        upper(nullif(trim(source.accountable), '')) as accountable,
        upper(nullif(trim(source.tax_role), '')) as tax_role,
        {{ calendar_date('source.effective_from') }} as effective_from
    from source
)

select * from final

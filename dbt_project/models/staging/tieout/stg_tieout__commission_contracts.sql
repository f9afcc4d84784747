-- Commission contracts, effective-dated.

with source as (
    select * from {{ ref('commission_contracts') }}
),

final as (
    select
        nullif(trim(source.marketplace_code), '') as marketplace_code,
        nullif(trim(source.category_code), '') as category_code,
        upper(nullif(trim(source.base), '')) as base,
        upper(nullif(trim(source.refund_rule), '')) as refund_rule,
        {{ to_decimal('source.rate_percent') }} as rate_percent,
        {{ to_decimal('source.fixed_amount') }} as fixed_amount,
        {{ to_decimal('source.minimum_amount') }} as minimum_amount,
        {{ to_decimal('source.maximum_amount') }} as maximum_amount,
        {{ to_decimal('source.retain_share_percent') }} as retain_share_percent,
        {{ to_decimal('source.retain_fixed_amount') }} as retain_fixed_amount,
        {{ to_decimal('source.vat_percent') }} as vat_percent,
        {{ calendar_date('source.effective_from') }} as effective_from
    from source
)

select * from final

-- Tolerances, effective-dated.

with source as (
    select * from {{ ref('tolerances') }}
),

final as (
    select
        upper(nullif(trim(source.test_code), '')) as test_code,
        upper(nullif(trim(source.currency_code), '')) as currency_code,
        {{ to_decimal('source.amount') }} as amount,
        {{ to_decimal('source.amount_cap') }} as amount_cap,
        {{ to_decimal('source.percent') }} as percent,
        {{ calendar_date('source.effective_from') }} as effective_from
    from source
)

select * from final

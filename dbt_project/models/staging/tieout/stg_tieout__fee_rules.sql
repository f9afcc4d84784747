-- Fee rules, effective-dated.

with source as (
    select * from {{ ref('fee_rules') }}
),

final as (
    select
        nullif(trim(source.marketplace_code), '') as marketplace_code,
        upper(nullif(trim(source.transaction_type), '')) as transaction_type,
        nullif(trim(source.fee_code), '') as fee_code,
        upper(nullif(trim(source.trigger), '')) as fee_trigger,
        {{ to_decimal('source.amount') }} as amount,
        {{ to_decimal('source.percent') }} as percent,
        {{ calendar_date('source.effective_from') }} as effective_from
    from source
)

select * from final

-- Balances at go-live. Debit positive.

with source as (
    select * from {{ ref('opening_balances') }}
),

final as (
    select
        nullif(trim(source.entity_code), '') as entity_code,
        nullif(trim(source.marketplace_code), '') as marketplace_code,
        upper(nullif(trim(source.currency_code), '')) as currency_code,
        upper(nullif(trim(source.account_role), '')) as account_role,
        nullif(trim(source.reference), '') as reference,
        coalesce(upper(nullif(trim(source.item_kind), '')), 'BALANCE') as item_kind,
        {{ to_decimal('source.amount') }} as amount,
        {{ calendar_date('source.as_of_date') }} as as_of_date
    from source
)

select * from final

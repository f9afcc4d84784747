-- Account map, effective-dated.

with source as (
    select * from {{ ref('accounts') }}
),

final as (
    select
        nullif(trim(source.entity_code), '') as entity_code,
        nullif(trim(source.marketplace_code), '') as marketplace_code,
        upper(nullif(trim(source.currency_code), '')) as currency_code,
        upper(nullif(trim(source.account_role), '')) as account_role,
        {{ calendar_date('source.effective_from') }} as effective_from,
        nullif(trim(source.account_code), '') as account_code,
        coalesce(trim(source.cost_centre), '') as cost_centre,
        coalesce(trim(source.department), '') as department
    from source
)

select * from final

-- Account roles.

with source as (
    select * from {{ ref('account_roles') }}
),

final as (
    select
        upper(nullif(trim(source.account_role), '')) as account_role,
        upper(nullif(trim(source.account_type), '')) as account_type,
        lower(trim(coalesce(source.is_controlled, ''))) in ('true', 't', 'yes', 'y', '1', 'on') as is_controlled,
        nullif(trim(source.description), '') as description
    from source
)

select * from final

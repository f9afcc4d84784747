-- Account roles of the profit and loss account: their line of the waterfall, and how what names no item is shared out.

with source as (
    select * from {{ ref('profit_lines') }}
),

final as (
    select
        upper(nullif(trim(source.account_role), '')) as account_role,
        upper(nullif(trim(source.profit_line), '')) as profit_line,
        upper(nullif(trim(source.allocation), '')) as allocation,
        lower(trim(coalesce(source.is_shared, ''))) in ('true', 't', 'yes', 'y', '1', 'on') as is_shared
    from source
)

select * from final

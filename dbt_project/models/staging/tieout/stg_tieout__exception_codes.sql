-- Exception codes.

with source as (
    select * from {{ ref('exception_codes') }}
),

final as (
    select
        nullif(trim(source.exception_code), '') as exception_code,
        nullif(trim(source.title), '') as title,
        upper(nullif(trim(source.severity), '')) as severity,
        upper(nullif(trim(source.root_cause), '')) as root_cause,
        nullif(trim(source.recommended_action), '') as recommended_action,
        upper(nullif(trim(source.owner_team), '')) as owner_team,
        upper(nullif(trim(source.sla_unit), '')) as sla_unit,
        nullif(trim(source.runbook), '') as runbook,
        upper(nullif(trim(source.write_off_account), '')) as write_off_account,
        cast(nullif(trim(source.sla_amount), '') as integer) as sla_amount,
        lower(trim(coalesce(source.is_money, ''))) in ('true', 't', 'yes', 'y', '1', 'on') as is_money
    from source
)

select * from final

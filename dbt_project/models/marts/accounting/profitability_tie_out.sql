-- Grain: entity × period × account role. Channel profitability against the nominal ledger: what the ledger holds on the role's
-- accounts, what of it the marketplaces show (PERIOD), what belongs to documents of other customers, and what a shared account
-- attributes to nobody. The difference is nil, or an amount got lost. credit - debit, in the entity's currency.
with

roles as (

    select
        accounts.entity_code,
        accounts.account_code,
        coalesce(accounts.cost_centre, '') as cost_centre,
        coalesce(accounts.department, '') as department,
        min(accounts.account_role) as account_role
    from {{ ref('stg_tieout__accounts') }} as accounts
    inner join {{ ref('stg_tieout__profit_lines') }} as profit_lines
        on accounts.account_role = profit_lines.account_role
    group by
        accounts.entity_code,
        accounts.account_code,
        coalesce(accounts.cost_centre, ''),
        coalesce(accounts.department, '')

),

-- The ledger by its own accounts, past the attribution: a cost centre of its own first, then the account without one.
ledger as (

    select
        postings.entity_code,
        postings.period,
        coalesce(own_roles.account_role, roles.account_role) as account_role,
        cast(-sum(postings.net_amount) as decimal(18, 2)) as amount
    from {{ ref('int_ledger__erp_postings') }} as postings
    left join roles as own_roles
        on
            postings.entity_code = own_roles.entity_code
            and postings.account_code = own_roles.account_code
            and postings.cost_centre = own_roles.cost_centre
            and postings.department = own_roles.department
    left join roles
        on
            postings.entity_code = roles.entity_code
            and postings.account_code = roles.account_code
            and roles.cost_centre = ''
            and roles.department = ''
    where coalesce(own_roles.account_role, roles.account_role) is not null
    group by postings.entity_code, postings.period, coalesce(own_roles.account_role, roles.account_role)

),

attributed as (

    select
        entity_code,
        period,
        account_role,
        cast(sum(case when scope = 'CHANNEL' then amount else 0 end) as decimal(18, 2)) as channel_amount,
        cast(sum(case when scope = 'OTHER_BUSINESS' then amount else 0 end) as decimal(18, 2))
            as other_business_amount,
        cast(sum(case when scope = 'UNATTRIBUTED' then amount else 0 end) as decimal(18, 2)) as unattributed_amount
    from {{ ref('int_accounting__profit_facts') }}
    where account_role not like '(%'
    group by entity_code, period, account_role

),

final as (

    select
        coalesce(ledger.entity_code, attributed.entity_code) as entity_code,
        coalesce(ledger.period, attributed.period) as period,
        coalesce(ledger.account_role, attributed.account_role) as account_role,
        profit_lines.profit_line,
        entities.functional_currency as currency_code,
        coalesce(ledger.amount, 0) as ledger_amount,
        coalesce(attributed.channel_amount, 0) as channel_amount,
        coalesce(attributed.other_business_amount, 0) as other_business_amount,
        coalesce(attributed.unattributed_amount, 0) as unattributed_amount,
        cast(
            coalesce(ledger.amount, 0) - coalesce(attributed.channel_amount, 0)
            - coalesce(attributed.other_business_amount, 0) - coalesce(attributed.unattributed_amount, 0)
            as decimal(18, 2)
        ) as difference_amount
    from ledger
    full outer join attributed
        on
            ledger.entity_code = attributed.entity_code
            and ledger.period = attributed.period
            and ledger.account_role = attributed.account_role
    inner join {{ ref('stg_tieout__profit_lines') }} as profit_lines
        on coalesce(ledger.account_role, attributed.account_role) = profit_lines.account_role
    inner join {{ ref('stg_tieout__entities') }} as entities
        on coalesce(ledger.entity_code, attributed.entity_code) = entities.entity_code

)

select * from final

-- Profitability shows what the ledger holds, per role and month, and sharing amounts out over items loses no penny on either basis.
-- When red: a join of int_accounting__profit_facts lost or doubled an amount, or an allocation does not add up.
select
    entity_code,
    period,
    account_role as line,
    difference_amount
from {{ ref('profitability_tie_out') }}
where difference_amount <> 0
union all
select
    bridge.marketplace_code as entity_code,
    bridge.period,
    bridge.basis as line,
    cast(bridge.amount - coalesce(shown.amount, 0) as decimal(18, 2)) as difference_amount
from (
    select
        marketplace_code,
        period,
        'PERIOD' as basis,
        sum(period_amount) as amount
    from {{ ref('profitability_bridge') }}
    group by marketplace_code, period
    union all
    select
        marketplace_code,
        period,
        'COHORT' as basis,
        sum(cohort_amount) as amount
    from {{ ref('profitability_bridge') }}
    group by marketplace_code, period
) as bridge
left join (
    select
        marketplace_code,
        period,
        basis,
        sum(contribution_2_amount) as amount
    from {{ ref('channel_profitability') }}
    group by marketplace_code, period, basis
) as shown
    on
        bridge.marketplace_code = shown.marketplace_code
        and bridge.period = shown.period
        and bridge.basis = shown.basis
where bridge.amount <> coalesce(shown.amount, 0)

-- Grain: month's end × account role of its revaluation, and the reversal on the first day after. What clearing and reserve hold in a
-- foreign currency is brought to the closing rate: FX_REVALUATION puts the difference to FX_UNREALISED, FX_REVALUATION_REVERSAL takes it
-- back, so that a later receipt relieves what was settled. Nothing moves in the document's currency. The customer account is a sub-ledger's:
-- the ERP revalues it itself. For the month that ended last, from its third day on; what was posted before stays as it was.
{{ config(schema='accounting', materialized='table') }}

with

marketplaces as (

    select
        marketplaces.*,
        {{ add_days(
            "cast(substr(cast(marketplaces.as_of_date as varchar), 1, 8) || '01' as date)", '-1'
        ) }} as closing_date
    from {{ ref('int_ledger__marketplaces') }} as marketplaces
    where marketplaces.has_books and marketplaces.currency_code <> marketplaces.functional_currency

),

cycles as (

    select * from {{ ref('int_matching__cycles') }}

),

rates as (

    select * from {{ ref('int_ledger__daily_rates') }}

),

held as (

    -- What is blocked is not in the books yet.
    select
        entries.marketplace_code,
        entries.account_role,
        sum(entries.net_debit) as amount,
        sum(entries.functional_net_debit) as functional_amount
    from {{ ref('int_accounting__foreign_entries') }} as entries
    inner join marketplaces
        on entries.marketplace_code = marketplaces.marketplace_code
    left join cycles
        on
            entries.kind = 'SETTLEMENT'
            and entries.marketplace_code = cycles.marketplace_code
            and entries.document_id = cycles.billing_cycle_id
    where
        entries.kind in ('SETTLEMENT', 'PAYOUT_RECEIPT')
        and entries.account_role in ('MARKETPLACE_CLEARING', 'MARKETPLACE_RESERVE')
        and entries.posting_date <= marketplaces.closing_date
        and entries.posting_date >= marketplaces.journals_live_from
        and entries.functional_net_debit is not null
        and entries.bad_rate_id is null
        and coalesce(cycles.unmapped_line_count, 0) = 0
        and coalesce(cycles.changed_line_count, 0) = 0
        and coalesce(cycles.currency_count, 1) <= 1
        and cycles.identity_code is null
    group by entries.marketplace_code, entries.account_role

),

revalued as (

    select
        marketplaces.entity_code,
        marketplaces.marketplace_code,
        marketplaces.currency_code,
        marketplaces.closing_date,
        held.account_role,
        rates.exchange_rate,
        rates.rate_source,
        rates.rate_date,
        case when rates.rate_fault is not null then rates.rate_id end as bad_rate_id,
        {{ functional_money('held.amount', 'rates.exchange_rate', 'marketplaces.functional_currency') }}
        - held.functional_amount as difference_amount
    from held
    inner join marketplaces
        on held.marketplace_code = marketplaces.marketplace_code
    inner join rates
        on
            marketplaces.entity_code = rates.entity_code
            and marketplaces.currency_code = rates.currency_code
            and marketplaces.closing_date = rates.rate_day
    where
        marketplaces.as_of_date >= {{ add_days('marketplaces.closing_date', '3') }}
        and marketplaces.closing_date >= marketplaces.journals_live_from

),

sides as (

    select
        revalued.*,
        revalued.difference_amount as functional_net_debit,
        10 as line_group
    from revalued
    union all
    select
        revalued.entity_code,
        revalued.marketplace_code,
        revalued.currency_code,
        revalued.closing_date,
        'FX_UNREALISED' as account_role,
        revalued.exchange_rate,
        revalued.rate_source,
        revalued.rate_date,
        revalued.bad_rate_id,
        sum(revalued.difference_amount) as difference_amount,
        -sum(revalued.difference_amount) as functional_net_debit,
        90 as line_group
    from revalued
    group by
        revalued.entity_code,
        revalued.marketplace_code,
        revalued.currency_code,
        revalued.closing_date,
        revalued.exchange_rate,
        revalued.rate_source,
        revalued.rate_date,
        revalued.bad_rate_id

),

final as (

    {% for kind, day, sign in [
        ('FX_REVALUATION', 'sides.closing_date', ''),
        ('FX_REVALUATION_REVERSAL', add_days('sides.closing_date', '1'), '-'),
    ] -%}
    select
        sides.entity_code,
        sides.marketplace_code,
        '{{ kind }}' as kind,
        {{ period_of('sides.closing_date') }} as document_id,
        {{ day }} as posting_date,
        sides.currency_code,
        sides.account_role,
        cast(null as varchar) as tax_base_role,
        'NET' as side,
        cast(0 as decimal(18, 2)) as net_debit,
        sides.line_group,
        cast({{ sign }}sides.functional_net_debit as decimal(18, 2)) as functional_net_debit,
        sides.exchange_rate,
        sides.rate_source,
        sides.rate_date,
        sides.bad_rate_id
    from sides
    where sides.functional_net_debit <> 0
    {{ 'union all' if not loop.last }}
    {% endfor -%}

)

select * from final

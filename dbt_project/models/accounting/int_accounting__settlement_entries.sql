-- Grain: cycle × posting date × account role × side × role and code that a VAT belongs to. The settlement journals before accounts are
-- looked up. A line of amount a debits clearing with a and credits its counter-role with a; informative lines, pay-outs and nil sums
-- make no entry, and a cycle that moves no role (all of it sold and given back) makes none at all. ORDER_LED: one journal per cycle,
-- dated the cycle date. SETTLEMENT_LED: what was earned in the month before a cycle of the first two days is a journal of that month; what is not dispatched waits on UNBILLED_SETTLEMENT until it is (UNBILLED_REVERSAL).
-- net_debit = debit - credit.
{{ config(schema='accounting', materialized='table') }}

with

lines as (

    select
        lines.marketplace_code,
        lines.billing_cycle_id,
        lines.account_role,
        lines.is_mapped,
        lines.tax_of_type,
        lines.amount
    from {{ ref('int_matching__transaction_lines') }} as lines
    inner join {{ ref('int_ledger__marketplaces') }} as marketplaces
        on lines.marketplace_code = marketplaces.marketplace_code
    where
        lines.is_in_net
        and lines.billing_cycle_id is not null
        and marketplaces.posting_model = 'ORDER_LED'

),

cycles as (

    -- Only what a seller's books hold; an operator's are the mirror image and come from its own models.
    select * from {{ ref('int_matching__cycles') }}
    where has_books

),

account_roles as (

    select * from {{ ref('stg_tieout__account_roles') }}

),

type_roles as (

    select
        ranked.transaction_type,
        ranked.account_role
    from (
        select
            types.transaction_type,
            types.account_role,
            row_number() over (partition by types.transaction_type order by types.effective_from desc) as row_number
        from {{ ref('stg_tieout__transaction_types') }} as types
    ) as ranked
    where ranked.row_number = 1

),

order_led as (

    select
        cycles.marketplace_code,
        cycles.billing_cycle_id,
        'SETTLEMENT' as kind,
        cycles.cycle_date as posting_date,
        case when lines.is_mapped then coalesce(lines.account_role, 'UNMAPPED') else 'UNMAPPED' end as account_role,
        case when account_roles.account_type = 'VAT' then type_roles.account_role end as tax_base_role,
        cast(null as varchar) as tax_code,
        -- Sales and refunds reach the customer account by different documents, so they are not netted.
        case
            when account_roles.account_type = 'CUSTOMER' and lines.amount > 0 then 'SALES'
            when account_roles.account_type = 'CUSTOMER' then 'REFUNDS'
            else 'NET'
        end as side,
        -lines.amount as net_debit
    from lines
    inner join cycles
        on
            lines.marketplace_code = cycles.marketplace_code
            and lines.billing_cycle_id = cycles.billing_cycle_id
    left join account_roles
        on lines.account_role = account_roles.account_role
    left join type_roles
        on lines.tax_of_type = type_roles.transaction_type

),

settled as (

    select
        settled.marketplace_code,
        settled.billing_cycle_id,
        settled.account_role,
        settled.tax_base_role,
        settled.tax_code,
        settled.net_debit,
        settled.earned_date,
        cycles.cycle_date,
        marketplaces.as_of_date,
        settled.earned_date is null or settled.earned_date > cycles.cycle_date as is_held,
        case
            when
                {{ is_early_cycle('cycles.cycle_date') }}
                and settled.earned_date < {{ month_start('cycles.cycle_date') }}
                then {{ previous_month_end('cycles.cycle_date') }}
            else cycles.cycle_date
        end as posting_date
    from {{ ref('int_accounting__settlement_led_lines') }} as settled
    inner join cycles
        on
            settled.marketplace_code = cycles.marketplace_code
            and settled.billing_cycle_id = cycles.billing_cycle_id
    inner join {{ ref('int_ledger__marketplaces') }} as marketplaces
        on settled.marketplace_code = marketplaces.marketplace_code

),

released as (

    -- What was paid before it left the warehouse is earned in the month in which it left, at that month's end.
    select
        settled.*,
        {{ month_end('settled.earned_date') }} as release_date
    from settled
    where settled.is_held and settled.earned_date is not null

),

counter_sides as (

    select * from order_led
    union all
    select
        settled.marketplace_code,
        settled.billing_cycle_id,
        'SETTLEMENT' as kind,
        settled.posting_date,
        case when settled.is_held then 'UNBILLED_SETTLEMENT' else settled.account_role end as account_role,
        case when not settled.is_held then settled.tax_base_role end as tax_base_role,
        case when not settled.is_held then settled.tax_code end as tax_code,
        'NET' as side,
        settled.net_debit
    from settled
    union all
    select
        released.marketplace_code,
        released.billing_cycle_id,
        'UNBILLED_REVERSAL' as kind,
        released.release_date as posting_date,
        released.account_role,
        released.tax_base_role,
        released.tax_code,
        'NET' as side,
        released.net_debit
    from released
    where released.release_date < released.as_of_date
    union all
    select
        released.marketplace_code,
        released.billing_cycle_id,
        'UNBILLED_REVERSAL' as kind,
        released.release_date as posting_date,
        'UNBILLED_SETTLEMENT' as account_role,
        cast(null as varchar) as tax_base_role,
        cast(null as varchar) as tax_code,
        'NET' as side,
        -released.net_debit as net_debit
    from released
    where released.release_date < released.as_of_date

),

entries as (

    select
        counter_sides.marketplace_code,
        counter_sides.billing_cycle_id,
        counter_sides.kind,
        counter_sides.posting_date,
        counter_sides.account_role,
        counter_sides.tax_base_role,
        counter_sides.tax_code,
        counter_sides.side,
        cast(sum(counter_sides.net_debit) as decimal(18, 2)) as net_debit
    from counter_sides
    group by
        counter_sides.marketplace_code,
        counter_sides.billing_cycle_id,
        counter_sides.kind,
        counter_sides.posting_date,
        counter_sides.account_role,
        counter_sides.tax_base_role,
        counter_sides.tax_code,
        counter_sides.side
    union all
    select
        counter_sides.marketplace_code,
        counter_sides.billing_cycle_id,
        counter_sides.kind,
        counter_sides.posting_date,
        'MARKETPLACE_CLEARING' as account_role,
        cast(null as varchar) as tax_base_role,
        cast(null as varchar) as tax_code,
        'NET' as side,
        cast(-sum(counter_sides.net_debit) as decimal(18, 2)) as net_debit
    from counter_sides
    where counter_sides.kind = 'SETTLEMENT'
    group by
        counter_sides.marketplace_code,
        counter_sides.billing_cycle_id,
        counter_sides.kind,
        counter_sides.posting_date

),

moving_cycles as (

    select distinct
        totals.marketplace_code,
        totals.billing_cycle_id
    from (
        select
            entries.marketplace_code,
            entries.billing_cycle_id,
            entries.account_role
        from entries
        group by entries.marketplace_code, entries.billing_cycle_id, entries.account_role
        having sum(entries.net_debit) <> 0
    ) as totals

),

final as (

    select
        cycles.entity_code,
        entries.marketplace_code,
        entries.kind,
        entries.billing_cycle_id as document_id,
        entries.posting_date,
        cycles.currency_code,
        entries.account_role,
        entries.tax_base_role,
        entries.tax_code,
        entries.side,
        entries.net_debit,
        case
            when entries.account_role = 'MARKETPLACE_CLEARING' then 10
            when entries.side = 'SALES' then 20
            when entries.side = 'REFUNDS' then 30
            else 40
        end as line_group
    from entries
    inner join cycles
        on
            entries.marketplace_code = cycles.marketplace_code
            and entries.billing_cycle_id = cycles.billing_cycle_id
    inner join moving_cycles
        on
            entries.marketplace_code = moving_cycles.marketplace_code
            and entries.billing_cycle_id = moving_cycles.billing_cycle_id
    where entries.net_debit <> 0

)

select * from final

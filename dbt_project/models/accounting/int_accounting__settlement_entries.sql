-- Grain: cycle × account role × side × role that a VAT belongs to. The settlement journal of a cycle (ORDER_LED) before accounts
-- are looked up. A line of amount a debits clearing with a and credits its counter-role with a; informative lines, pay-outs and
-- nil sums make no entry, and a cycle that moves no role (all of it sold and given back) makes none at all: there would be nothing
-- to post. net_debit = debit - credit.
{{ config(schema='accounting', materialized='table') }}

with

lines as (

    select * from {{ ref('int_matching__transaction_lines') }}
    where is_in_net and billing_cycle_id is not null

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

counter_sides as (

    select
        lines.marketplace_code,
        lines.billing_cycle_id,
        case when lines.is_mapped then coalesce(lines.account_role, 'UNMAPPED') else 'UNMAPPED' end as account_role,
        case when account_roles.account_type = 'VAT' then type_roles.account_role end as tax_base_role,
        -- Sales and refunds reach the customer account by different documents, so they are not netted.
        case
            when account_roles.account_type = 'CUSTOMER' and lines.amount > 0 then 'SALES'
            when account_roles.account_type = 'CUSTOMER' then 'REFUNDS'
            else 'NET'
        end as side,
        -lines.amount as net_debit
    from lines
    left join account_roles
        on lines.account_role = account_roles.account_role
    left join type_roles
        on lines.tax_of_type = type_roles.transaction_type

),

entries as (

    select
        counter_sides.marketplace_code,
        counter_sides.billing_cycle_id,
        counter_sides.account_role,
        counter_sides.tax_base_role,
        counter_sides.side,
        cast(sum(counter_sides.net_debit) as decimal(18, 2)) as net_debit
    from counter_sides
    group by
        counter_sides.marketplace_code,
        counter_sides.billing_cycle_id,
        counter_sides.account_role,
        counter_sides.tax_base_role,
        counter_sides.side
    union all
    select
        cycles.marketplace_code,
        cycles.billing_cycle_id,
        'MARKETPLACE_CLEARING' as account_role,
        cast(null as varchar) as tax_base_role,
        'NET' as side,
        cycles.net_amount as net_debit
    from cycles

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
        'SETTLEMENT' as kind,
        entries.billing_cycle_id as document_id,
        cycles.cycle_date as posting_date,
        cycles.currency_code,
        entries.account_role,
        entries.tax_base_role,
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

-- Grain: cycle × posting date × account role × side × role and code that a VAT belongs to. The settlement journals before accounts are
-- looked up. A line of amount a debits clearing with a and credits its counter-role with a; informative lines, pay-outs and nil sums
-- make no entry, and a cycle that moves no role (all of it sold and given back) makes none at all. Where an entity holds input VAT back
-- until the operator's document is there (entities.csv), it waits on INPUT_VAT_PENDING and VAT_RELEASE moves it on. ORDER_LED: one journal per cycle,
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

documents as (

    select
        documents.marketplace_code,
        documents.billing_cycle_id,
        min(documents.document_date) as document_date
    from {{ ref('int_ledger__documents') }} as documents
    where documents.document_type = 'AUTO_INVOICE' and documents.billing_cycle_id is not null
    group by documents.marketplace_code, documents.billing_cycle_id

),

posted as (

    -- What was posted with the VAT held back, or not, stays so.
    select
        ranked.marketplace_code,
        ranked.billing_cycle_id,
        ranked.is_held
    from (
        select
            posted_lines.marketplace_code,
            posted_lines.document_id as billing_cycle_id,
            max(case when posted_lines.account_role = 'INPUT_VAT_PENDING' then 1 else 0 end) = 1 as is_held,
            row_number() over (
                partition by posted_lines.marketplace_code, posted_lines.document_id
                order by posted_lines.version desc
            ) as version_number
        from {{ ref('int_accounting__posted_lines') }} as posted_lines
        where posted_lines.kind = 'SETTLEMENT'
        group by posted_lines.marketplace_code, posted_lines.document_id, posted_lines.version
    ) as ranked
    where ranked.version_number = 1

),

held_cycles as (

    -- Of foreign documents VAT is none of our return's.
    select
        cycles.marketplace_code,
        cycles.billing_cycle_id,
        case
            when documents.document_date > cycles.cycle_date then documents.document_date
            when documents.document_date is not null then cycles.cycle_date
        end as release_date
    from cycles
    inner join {{ ref('int_ledger__marketplaces') }} as marketplaces
        on cycles.marketplace_code = marketplaces.marketplace_code
    inner join {{ ref('stg_tieout__entities') }} as entities
        on
            marketplaces.entity_code = entities.entity_code
            and cycles.cycle_date >= entities.input_vat_held_from
            and cycles.currency_code = entities.functional_currency
    left join documents
        on
            cycles.marketplace_code = documents.marketplace_code
            and cycles.billing_cycle_id = documents.billing_cycle_id
    left join posted
        on
            cycles.marketplace_code = posted.marketplace_code
            and cycles.billing_cycle_id = posted.billing_cycle_id
    where
        coalesce(
            posted.is_held,
            documents.document_date is null
            or {{ vat_period_end(
                'documents.document_date', 'entities.vat_period_months', 'entities.vat_period_end_month'
            ) }}
            > {{ vat_period_end('cycles.cycle_date', 'entities.vat_period_months', 'entities.vat_period_end_month') }}
        )

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

summed as (

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

),

held_sides as (

    select
        summed.marketplace_code,
        summed.billing_cycle_id,
        summed.kind,
        summed.posting_date,
        summed.account_role,
        summed.tax_base_role,
        summed.tax_code,
        summed.side,
        summed.net_debit,
        held_cycles.release_date,
        held_cycles.billing_cycle_id is not null as is_held
    from summed
    left join held_cycles
        on
            summed.marketplace_code = held_cycles.marketplace_code
            and summed.billing_cycle_id = held_cycles.billing_cycle_id
            and summed.account_role = 'INPUT_VAT'

),

booked_sides as (

    select
        held_sides.marketplace_code,
        held_sides.billing_cycle_id,
        held_sides.kind,
        held_sides.posting_date,
        case when held_sides.is_held then 'INPUT_VAT_PENDING' else held_sides.account_role end as account_role,
        case when not held_sides.is_held then held_sides.tax_base_role end as tax_base_role,
        case when not held_sides.is_held then held_sides.tax_code end as tax_code,
        held_sides.side,
        held_sides.net_debit
    from held_sides
    union all
    select
        held_sides.marketplace_code,
        held_sides.billing_cycle_id,
        'VAT_RELEASE' as kind,
        held_sides.release_date as posting_date,
        'INPUT_VAT_PENDING' as account_role,
        cast(null as varchar) as tax_base_role,
        cast(null as varchar) as tax_code,
        'NET' as side,
        -held_sides.net_debit as net_debit
    from held_sides
    where held_sides.is_held and held_sides.release_date is not null
    union all
    select
        held_sides.marketplace_code,
        held_sides.billing_cycle_id,
        'VAT_RELEASE' as kind,
        held_sides.release_date as posting_date,
        'INPUT_VAT' as account_role,
        'INPUT_VAT_PENDING' as tax_base_role,
        held_sides.tax_code,
        'NET' as side,
        held_sides.net_debit
    from held_sides
    where held_sides.is_held and held_sides.release_date is not null

),

entries as (

    select
        booked_sides.marketplace_code,
        booked_sides.billing_cycle_id,
        booked_sides.kind,
        booked_sides.posting_date,
        booked_sides.account_role,
        booked_sides.tax_base_role,
        booked_sides.tax_code,
        booked_sides.side,
        cast(sum(booked_sides.net_debit) as decimal(18, 2)) as net_debit
    from booked_sides
    group by
        booked_sides.marketplace_code,
        booked_sides.billing_cycle_id,
        booked_sides.kind,
        booked_sides.posting_date,
        booked_sides.account_role,
        booked_sides.tax_base_role,
        booked_sides.tax_code,
        booked_sides.side
    union all
    select
        summed.marketplace_code,
        summed.billing_cycle_id,
        summed.kind,
        summed.posting_date,
        'MARKETPLACE_CLEARING' as account_role,
        cast(null as varchar) as tax_base_role,
        cast(null as varchar) as tax_code,
        'NET' as side,
        cast(-sum(summed.net_debit) as decimal(18, 2)) as net_debit
    from summed
    where summed.kind = 'SETTLEMENT'
    group by
        summed.marketplace_code,
        summed.billing_cycle_id,
        summed.kind,
        summed.posting_date

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

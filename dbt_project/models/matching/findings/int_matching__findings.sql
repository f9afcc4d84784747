-- Grain: difference of any level that needs attention, as root or as consequence of another subject's root. A consequence whose root
-- was not found is a root itself, so nothing can hide behind a cause that does not exist.
{% set levels = [
    ('rec_orders', 'a'), ('rec_settlement_lines', 'b'), ('rec_cycles', 'c'), ('rec_documents', 'd'), ('rec_receipts', 'e'),
    ('rec_journals', 'f'), ('rec_clearing', 'g'), ('rec_stock', 'h'),
    ('rec_dispatches', 'i'),
    ('rec_refunds', 'j'), ('rec_receivables', 'g'), ('rec_sale_taxes', 'a'), ('rec_offers', 'k'),
    ('rec_exchange_rates', 'f'),
] -%}
with

{% for model, level in levels -%}
{{ model }} as (

    select
        '{{ level }}' as level_code,
        {{ model }}.marketplace_code,
        {{ model }}.entity_code,
        {{ model }}.exception_code,
        {{ model }}.subject_type,
        {{ model }}.subject_id,
        {{ model }}.delta_amount,
        {{ model }}.currency_code,
        {{ model }}.summary,
        {{ model }}.root_subject_type,
        {{ model }}.root_subject_id
    from {{ ref(model) }} as {{ model }}
    where {{ model }}.status = 'EXCEPTION'

),

{% endfor -%}
stale_feeds as (

    select
        'data' as level_code,
        freshness.marketplace_code,
        freshness.entity_code,
        freshness.exception_code,
        'FEED' as subject_type,
        -- An ERP company and a bank account belong to no marketplace: their own code tells their feeds apart.
        case when freshness.marketplace_code is null then freshness.account || '-' else '' end || freshness.feed
            as subject_id,
        cast(null as decimal(18, 2)) as delta_amount,
        cast(null as varchar) as currency_code,
        case
            when freshness.is_silent
                then
                    'The feed ' || freshness.feed || ' of ' || freshness.account || ' is read, but tells nothing after '
                    || coalesce(cast(freshness.newest_record_date as varchar), 'its beginning') || '.'
            else
                'The feed ' || freshness.feed || ' of ' || freshness.account || ' is older than '
                || cast(freshness.freshness_hours as varchar) || ' hours.'
        end as summary,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id
    from {{ ref('freshness') }} as freshness
    where freshness.exception_code = 'DAT-001'

),

incomplete_feeds as (

    select
        'data' as level_code,
        control_totals.marketplace_code,
        control_totals.entity_code,
        'DAT-002' as exception_code,
        'FEED' as subject_type,
        control_totals.feed as subject_id,
        cast(null as decimal(18, 2)) as delta_amount,
        cast(null as varchar) as currency_code,
        'Control ' || control_totals.control_code || ' (' || control_totals.measure || ') of feed '
        || control_totals.feed || ' differs by ' || cast(control_totals.difference as varchar) || '.' as summary,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id
    from {{ ref('control_totals') }} as control_totals
    where not control_totals.is_balanced

),

refused_records as (

    select
        'data' as level_code,
        quarantine.marketplace_code,
        quarantine.entity_code,
        quarantine.exception_code,
        'RECORD' as subject_type,
        quarantine.subject_id,
        cast(null as decimal(18, 2)) as delta_amount,
        cast(null as varchar) as currency_code,
        'A record of feed ' || quarantine.feed || ' was refused: ' || coalesce(quarantine.field_name, 'record') || ', '
        || quarantine.reason || '.' as summary,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id
    from {{ ref('quarantine') }} as quarantine

),

vanished_records as (

    select
        'data' as level_code,
        id_checks.marketplace_code,
        id_checks.entity_code,
        id_checks.exception_code,
        'RECORD' as subject_type,
        id_checks.feed || '|' || id_checks.record_id as subject_id,
        cast(null as decimal(18, 2)) as delta_amount,
        cast(null as varchar) as currency_code,
        'Record ' || id_checks.record_id || ' of feed ' || id_checks.feed
        || ' is held here, but the vendor no longer has it.' as summary,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id
    from {{ ref('id_checks') }} as id_checks
    where id_checks.exception_code is not null

),

statement_gaps as (

    select
        'data' as level_code,
        cast(null as varchar) as marketplace_code,
        statements.entity_code,
        'DAT-002' as exception_code,
        'STATEMENT' as subject_type,
        statements.bank_account_code || '-' || statements.statement_id as subject_id,
        cast(statements.opening_balance - statements.balance_before as decimal(18, 2)) as delta_amount,
        statements.currency_code,
        'Statement ' || statements.statement_id || ' of ' || statements.bank_account_code || ' opens with '
        || cast(statements.opening_balance as varchar) || ' ' || statements.currency_code || ' on '
        || cast(statements.from_date as varchar) || ', but ' || statements.previous_statement_id || ' (to '
        || cast(statements.previous_to_date as varchar) || ') leaves ' || cast(statements.balance_before as varchar)
        || ': entries over ' || cast(
            cast(statements.opening_balance - statements.balance_before as decimal(18, 2)) as varchar
        ) || ' are missing or wrong.' as summary,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id
    from {{ ref('int_ledger__bank_statements') }} as statements
    where statements.has_gap

),

reused_references as (

    select
        'data' as level_code,
        receipts.marketplace_code,
        receipts.entity_code,
        'DAT-003' as exception_code,
        'BANK_ENTRY' as subject_type,
        receipts.receipt_id as subject_id,
        cast(null as decimal(18, 2)) as delta_amount,
        receipts.currency_code,
        'The bank used the reference of this entry for another one before: this one has taken its place. Ask the '
        || 'bank for references that it uses once.' as summary,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id
    from {{ ref('int_ledger__receipts') }} as receipts
    where receipts.is_reference_reused

),

unlinked_cases as (

    -- A conversation that names orders, none of which is known: somebody waits and nobody can look the order up.
    select
        'service' as level_code,
        cases.marketplace_code,
        cases.entity_code,
        'CUS-001' as exception_code,
        'CASE' as subject_type,
        cases.case_id as subject_id,
        cast(null as decimal(18, 2)) as delta_amount,
        cast(null as varchar) as currency_code,
        'Conversation ' || cases.case_id || ' of ' || cast(cast(min(cases.created_at) as date) as varchar)
        || ' is about order ' || min(cases.order_id) || ', which the order feed has never held.' as summary,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id
    from {{ ref('int_ledger__cases') }} as cases
    group by cases.marketplace_code, cases.entity_code, cases.case_id
    having max(case when cases.is_known then 1 else 0 end) = 0

),

kept_too_long as (

    select
        'service' as level_code,
        retention.marketplace_code,
        retention.entity_code,
        'CUS-002' as exception_code,
        'FEED' as subject_type,
        retention.vendor || '|' || retention.account || '|' || retention.feed as subject_id,
        cast(null as decimal(18, 2)) as delta_amount,
        cast(null as varchar) as currency_code,
        cast(retention.file_count as varchar) || ' files of ' || retention.account || ' ' || retention.feed
        || ' hold personal data for more than ' || cast(retention.months as varchar) || ' months, the oldest since '
        || cast(cast(retention.oldest_landed_at as date) as varchar) || '.' as summary,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id
    from {{ ref('int_matching__retention') }} as retention

),

locked_too_early as (

    select
        'close' as level_code,
        cast(null as varchar) as marketplace_code,
        events.entity_code,
        'CLS-001' as exception_code,
        'CLOSE' as subject_type,
        events.entity_code || '|' || events.period as subject_id,
        cast(null as decimal(18, 2)) as delta_amount,
        cast(null as varchar) as currency_code,
        'Period ' || events.period || ' of ' || events.entity_code || ' was locked on '
        || cast(cast(events.taken_at as date) as varchar) || ' although these steps were not done: '
        || replace(events.left_open, ',', ', ') || '.' as summary,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id
    from {{ ref('stg_tieout__close_events') }} as events
    where events.kind = 'LOCKED' and events.is_standing and events.left_open is not null

),

changed_after_lock as (

    -- Somebody posted into a month that had been signed off.
    select
        'close' as level_code,
        cast(null as varchar) as marketplace_code,
        figures.entity_code,
        'CLS-001' as exception_code,
        'CLOSE' as subject_type,
        figures.entity_code || '|' || figures.period as subject_id,
        figures.difference_amount as delta_amount,
        figures.currency_code,
        'The ledger''s ' || lower(replace(substr(figures.figure_code, 8), '_', ' ')) || ' of '
        || figures.marketplace_code || ' at the end of ' || figures.period || ' is '
        || cast(figures.restated_amount as varchar) || ' ' || figures.currency_code || '; it was '
        || cast(figures.first_closed_amount as varchar) || ' when the period was locked on '
        || cast(cast(figures.locked_at as date) as varchar) || '.' as summary,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id
    from (
        -- A balance carries on into the months after it: only the first month that moved is told.
        select
            changed.*,
            row_number() over (
                partition by
                    changed.entity_code,
                    changed.marketplace_code,
                    changed.figure_code,
                    changed.currency_code,
                    changed.difference_amount
                order by changed.period
            ) as month_number
        from {{ ref('period_figures') }} as changed
        where changed.is_locked and changed.difference_amount <> 0 and changed.figure_code like 'LEDGER %'
    ) as figures
    where figures.month_number = 1

),

reviewed_own_work as (

    select
        'close' as level_code,
        cast(null as varchar) as marketplace_code,
        events.entity_code,
        'CLS-002' as exception_code,
        'CLOSE' as subject_type,
        events.entity_code || '|' || events.period as subject_id,
        cast(null as decimal(18, 2)) as delta_amount,
        cast(null as varchar) as currency_code,
        'Who signed ' || events.period || ' of ' || events.entity_code || ' as reviewer on '
        || cast(cast(events.taken_at as date) as varchar) || ' reviews work of their own: '
        || events.conflict_key || '.' as summary,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id
    from {{ ref('stg_tieout__close_events') }} as events
    where events.is_standing and events.conflict_key is not null

),

unioned as (

    {% for model, level in levels -%}
    select * from {{ model }}
    union all
    {% endfor -%}
    select * from stale_feeds
    union all
    select * from incomplete_feeds
    union all
    select * from refused_records
    union all
    select * from vanished_records
    union all
    select * from statement_gaps
    union all
    select * from reused_references
    union all
    select * from unlinked_cases
    union all
    select * from kept_too_long
    union all
    select * from locked_too_early
    union all
    select * from changed_after_lock
    union all
    select * from reviewed_own_work

),

rooted as (

    select
        unioned.*,
        unioned.root_subject_id is null
        or (unioned.root_subject_type = unioned.subject_type and unioned.root_subject_id = unioned.subject_id)
            as is_own_root
    from unioned

),

root_subjects as (

    select distinct
        coalesce(rooted.marketplace_code, '*') as marketplace_code,
        rooted.subject_type,
        rooted.subject_id
    from rooted
    where rooted.is_own_root

),

final as (

    select
        rooted.level_code,
        coalesce(rooted.marketplace_code, '*') as marketplace_code,
        rooted.entity_code,
        rooted.exception_code,
        rooted.subject_type,
        rooted.subject_id,
        rooted.delta_amount,
        rooted.currency_code,
        rooted.summary,
        rooted.root_subject_type,
        rooted.root_subject_id,
        rooted.is_own_root or root_subjects.subject_id is null as is_root
    from rooted
    left join root_subjects
        on
            coalesce(rooted.marketplace_code, '*') = root_subjects.marketplace_code
            and rooted.root_subject_type = root_subjects.subject_type
            and rooted.root_subject_id = root_subjects.subject_id

)

select * from final

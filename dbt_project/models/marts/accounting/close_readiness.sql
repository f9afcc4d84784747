-- Grain: entity × period × check. The checklist of the month-end close (reference 11.1) from data: what is done, what is not, and
-- which of it keeps the period from being locked. A difference counts from the month that it belongs to on, until it is matched,
-- accepted or written off; one without a date counts in every month.
{% set checks = [
    ('02_FEEDS', 'Feeds read to the end of the period, and complete', 'WD1', 'OPERATIONS', true),
    ('03_TRADE', 'Orders, dispatches and refunds agree with the ERP', 'WD1', 'OPERATIONS', true),
    ('04_JOURNALS', 'Closed cycles and receipts posted, none blocked', 'WD2', 'FINANCE', true),
    ('05_BANK', 'Bank matched', 'WD2', 'FINANCE', true),
    ('06_DOCUMENTS', 'Documents of the marketplace held', 'WD2', 'FINANCE', false),
    ('07_ACCRUALS', 'Accruals posted, earlier ones taken back', 'WD2', 'FINANCE', true),
    ('08_CURRENCY', 'Currencies revalued, balances in credit reclassed', 'WD3', 'FINANCE', false),
    ('09_ROLL_FORWARD', 'Roll-forwards and balances tie', 'WD3', 'FINANCE', true),
    ('10_PROFITABILITY', 'Profitability ties to the nominal ledger', 'WD3', 'FINANCE', false),
    ('11_EXCEPTIONS', 'No exception of severity S1 or S2 is open', 'WD4', 'FINANCE', true),
    ('12_SIGN_OFF', 'Signed by preparer and reviewer, locked', 'WD4', 'FINANCE', false),
] %}
with

rollforward as (

    select * from {{ ref('clearing_rollforward') }}

),

periods as (

    select distinct
        rollforward.entity_code,
        rollforward.period,
        cast({{ month_end("cast(rollforward.period || '-01' as date)") }} as date) as last_day
    from rollforward

),

checks as (

    {% for code, title, working_day, owner, is_blocking in checks -%}
    select
        '{{ code }}' as check_code,
        '{{ title }}' as title,
        '{{ working_day }}' as working_day,
        '{{ owner }}' as owner_team,
        {{ is_blocking }} as is_blocking
    {% if not loop.last -%}
    union all
    {% endif -%}
    {%- endfor %}

),

feeds as (

    select freshness.*
    from {{ ref('freshness') }} as freshness
    inner join {{ ref('int_ledger__feed_levels') }} as feed_levels
        on
            freshness.vendor = feed_levels.vendor
            and freshness.feed = feed_levels.feed
    where feed_levels.level_codes <> 'h' and feed_levels.level_codes <> 'k' and feed_levels.level_codes <> 'hk'

),

journals as (

    select * from {{ ref('journals') }}
    where status <> 'EXCLUDED'

),

close_events as (

    select * from {{ ref('stg_tieout__close_events') }}
    where is_standing and kind <> 'REOPENED'

),

orders as (

    select
        orders.marketplace_code,
        orders.order_id,
        orders.order_date
    from {{ ref('int_ledger__orders') }} as orders

),

dated as (

    select
        unioned.marketplace_code,
        unioned.exception_code,
        unioned.subject_type,
        unioned.subject_id,
        min(unioned.period) as period
    from (
        select
            compared.marketplace_code,
            compared.exception_code,
            compared.subject_type,
            compared.subject_id,
            {{ period_of('compared.subject_date') }} as period
        from {{ ref('int_matching__comparisons') }} as compared
        where compared.status = 'EXCEPTION'
        {% for model in ('rec_receivables', 'rec_sale_taxes') -%}
        union all
        select
            {{ model }}.marketplace_code,
            {{ model }}.exception_code,
            {{ model }}.subject_type,
            {{ model }}.subject_id,
            {{ period_of(model ~ '.subject_date') }} as period
        from {{ ref(model) }} as {{ model }}
        where {{ model }}.status = 'EXCEPTION'
        {% endfor -%}
        union all
        select
            dispatches.marketplace_code,
            dispatches.exception_code,
            dispatches.subject_type,
            dispatches.subject_id,
            {{ period_of('orders.order_date') }} as period
        from {{ ref('rec_dispatches') }} as dispatches
        inner join orders
            on
                dispatches.marketplace_code = orders.marketplace_code
                and dispatches.order_id = orders.order_id
        where dispatches.status = 'EXCEPTION'
        union all
        select
            clearing.marketplace_code,
            clearing.exception_code,
            clearing.subject_type,
            clearing.subject_id,
            clearing.period
        from {{ ref('rec_clearing') }} as clearing
        where clearing.status = 'EXCEPTION'
    ) as unioned
    group by unioned.marketplace_code, unioned.exception_code, unioned.subject_type, unioned.subject_id

),

open_exceptions as (

    -- Stock, offers and conversations are about today, and what is said about a close is no part of it.
    select
        exceptions.entity_code,
        exceptions.exception_code,
        exceptions.severity,
        exceptions.amount_at_risk,
        coalesce(dated.period, '') as period,
        case
            when exceptions.exception_code like 'DAT-%' then '02_FEEDS'
            when
                exceptions.exception_code like 'ORD-%'
                or exceptions.exception_code like 'DSP-%'
                or exceptions.exception_code like 'CRN-%'
                then '03_TRADE'
            when exceptions.exception_code = 'JNL-011' then '07_ACCRUALS'
            when
                exceptions.exception_code like 'JNL-%'
                or exceptions.exception_code in ('SET-009', 'SET-014')
                or (exceptions.exception_code like 'PAY-%' and exceptions.severity <= 'S2')
                then '04_JOURNALS'
            when exceptions.exception_code like 'BNK-%' then '05_BANK'
            when exceptions.exception_code like 'INV-%' then '06_DOCUMENTS'
            when exceptions.exception_code like 'FX-%' or exceptions.exception_code = 'CLR-004' then '08_CURRENCY'
            when exceptions.exception_code like 'CLR-%' then '09_ROLL_FORWARD'
        end as check_code
    from {{ ref('exceptions') }} as exceptions
    left join dated
        on
            exceptions.marketplace_code = dated.marketplace_code
            and exceptions.exception_code = dated.exception_code
            and exceptions.subject_type = dated.subject_type
            and exceptions.subject_id = dated.subject_id
    where
        exceptions.status in ('OPEN', 'IN_PROGRESS')
        and substr(exceptions.exception_code, 1, 3) not in ('STK', 'OFR', 'CUS', 'CLS')

),

counted_exceptions as (

    select
        periods.entity_code,
        periods.period,
        charged.check_code,
        charged.exception_code,
        count(*) as open_count
    from periods
    inner join (
        select
            open_exceptions.entity_code,
            open_exceptions.period,
            open_exceptions.exception_code,
            open_exceptions.check_code
        from open_exceptions
        where open_exceptions.check_code is not null
        union all
        select
            open_exceptions.entity_code,
            open_exceptions.period,
            open_exceptions.exception_code,
            '11_EXCEPTIONS' as check_code
        from open_exceptions
        where open_exceptions.severity <= 'S2'
    ) as charged
        on
            periods.entity_code = charged.entity_code
            and periods.period >= charged.period
    group by periods.entity_code, periods.period, charged.check_code, charged.exception_code

),

facts as (

    select
        counted_exceptions.entity_code,
        counted_exceptions.period,
        counted_exceptions.check_code,
        2 as fact_order,
        counted_exceptions.open_count,
        counted_exceptions.exception_code || ' × ' || cast(counted_exceptions.open_count as varchar) as fact
    from counted_exceptions
    union all
    select
        periods.entity_code,
        periods.period,
        '02_FEEDS' as check_code,
        1 as fact_order,
        sum(
            case
                when
                    feeds.last_complete_at >= cast({{ add_days('periods.last_day', '1') }} as timestamp)
                    and not (feeds.is_silent and feeds.newest_record_date < periods.last_day)
                    then 0
                else 1
            end
        ) as open_count,
        cast(sum(
            case
                when
                    feeds.last_complete_at >= cast({{ add_days('periods.last_day', '1') }} as timestamp)
                    and not (feeds.is_silent and feeds.newest_record_date < periods.last_day)
                    then 1
                else 0
            end
        ) as varchar) || ' of ' || cast(count(*) as varchar) || ' feeds tell beyond '
        || cast(periods.last_day as varchar) as fact
    from periods
    inner join feeds
        on periods.entity_code = feeds.entity_code
    group by periods.entity_code, periods.period, periods.last_day
    union all
    select
        periods.entity_code,
        periods.period,
        case
            when journals.kind like '%ACCRUAL%' or journals.kind like 'UNBILLED%' then '07_ACCRUALS'
            when journals.kind like 'FX_%' or journals.kind like '%RECLASS%' then '08_CURRENCY'
            else '04_JOURNALS'
        end as check_code,
        1 as fact_order,
        sum(case when journals.status = 'POSTED' then 0 else 1 end) as open_count,
        cast(sum(case when journals.status = 'POSTED' then 1 else 0 end) as varchar) || ' of '
        || cast(count(*) as varchar) || ' journals to the end of the period stand in the ERP' as fact
    from periods
    inner join journals
        on
            periods.entity_code = journals.entity_code
            and periods.period >= journals.period
    group by
        periods.entity_code,
        periods.period,
        case
            when journals.kind like '%ACCRUAL%' or journals.kind like 'UNBILLED%' then '07_ACCRUALS'
            when journals.kind like 'FX_%' or journals.kind like '%RECLASS%' then '08_CURRENCY'
            else '04_JOURNALS'
        end
    union all
    select
        rollforward.entity_code,
        rollforward.period,
        '09_ROLL_FORWARD' as check_code,
        1 as fact_order,
        sum(
            case when rollforward.unexplained_amount <> 0 or rollforward.finding_amount <> 0 then 1 else 0 end
        ) as open_count,
        cast(count(*) as varchar) || ' accounts rolled forward, unexplained '
        || cast(cast(sum(abs(rollforward.unexplained_amount)) as decimal(18, 2)) as varchar)
        || ', explained by findings '
        || cast(cast(sum(abs(rollforward.finding_amount)) as decimal(18, 2)) as varchar) as fact
    from rollforward
    group by rollforward.entity_code, rollforward.period
    union all
    select
        tie_out.entity_code,
        tie_out.period,
        '10_PROFITABILITY' as check_code,
        1 as fact_order,
        sum(case when tie_out.difference_amount <> 0 then 1 else 0 end) as open_count,
        cast(count(*) as varchar) || ' roles tied, difference '
        || cast(cast(sum(abs(tie_out.difference_amount)) as decimal(18, 2)) as varchar) as fact
    from {{ ref('profitability_tie_out') }} as tie_out
    group by tie_out.entity_code, tie_out.period
    union all
    select
        close_events.entity_code,
        close_events.period,
        '12_SIGN_OFF' as check_code,
        close_events.event_number as fact_order,
        0 as open_count,
        case
            when close_events.kind = 'LOCKED' then 'locked on '
            else lower(close_events.role) || ' signed on '
        end || cast(cast(close_events.taken_at as date) as varchar) as fact
    from close_events

),

summed as (

    select
        facts.entity_code,
        facts.period,
        facts.check_code,
        sum(facts.open_count) as open_count,
        {{ ordered_list('facts.fact', "'; '", "cast(1000 + facts.fact_order as varchar) || facts.fact") }} as evidence
    from facts
    group by facts.entity_code, facts.period, facts.check_code

),

locks as (

    {{ locked_periods() }}

),

final as (

    select
        periods.period,
        periods.entity_code,
        checks.check_code,
        checks.title,
        checks.working_day,
        checks.owner_team,
        checks.is_blocking,
        case
            when checks.check_code = '12_SIGN_OFF' then locks.period is not null
            else coalesce(summed.open_count, 0) = 0
        end as is_done,
        cast(coalesce(summed.open_count, 0) as integer) as open_count,
        coalesce(
            summed.evidence, case checks.check_code when '12_SIGN_OFF' then 'not signed' else 'nothing is open' end
        )
            as evidence,
        locks.period is not null as is_locked
    from periods
    cross join checks
    left join summed
        on
            periods.entity_code = summed.entity_code
            and periods.period = summed.period
            and checks.check_code = summed.check_code
    left join locks
        on
            periods.entity_code = locks.entity_code
            and periods.period = locks.period

)

select * from final

-- Grain: one root exception, kept across runs: the same code on the same subject is the same row, first seen once, resolved when a
-- later run no longer finds it. Consequences of a root are counted, not listed. Times come from the run's clock only, so the same
-- input at the same time gives the same rows.
{{ config(
    materialized='incremental',
    unique_key='exception_id',
    incremental_strategy='delete+insert',
    on_schema_change='append_new_columns',
    full_refresh=false
) }}

with

codes as (

    select * from {{ ref('stg_tieout__exception_codes') }}

),

entities as (

    select * from {{ ref('stg_tieout__entities') }}

),

tolerances as (

    select * from {{ ref('int_matching__tolerances') }}

),

results as (

    select * from {{ ref('int_matching__findings') }}

),

roots as (

    select
        results.exception_code,
        results.marketplace_code,
        results.subject_type,
        results.subject_id,
        min(results.entity_code) as entity_code,
        min(results.currency_code) as currency_code,
        sum(abs(coalesce(results.delta_amount, 0))) as amount_at_risk,
        min(results.summary) as summary,
        count(*) - 1 as repeated_count
    from results
    where results.is_root
    group by results.exception_code, results.marketplace_code, results.subject_type, results.subject_id

),

consequences as (

    select
        results.marketplace_code,
        results.root_subject_type,
        results.root_subject_id,
        count(*) as consequence_count
    from results
    where not results.is_root
    group by results.marketplace_code, results.root_subject_type, results.root_subject_id

),

coded as (

    select
        roots.*,
        {{ exception_id('roots.exception_code', 'roots.marketplace_code', 'roots.subject_type', 'roots.subject_id') }}
            as exception_id,
        codes.severity as code_severity,
        codes.owner_team,
        codes.root_cause,
        codes.recommended_action,
        codes.sla_amount,
        codes.sla_unit,
        codes.is_money,
        codes.runbook,
        codes.title,
        -- A subject with several roots lists its consequences under the gravest of them.
        row_number() over (
            partition by roots.marketplace_code, roots.subject_type, roots.subject_id
            order by codes.severity, roots.exception_code
        ) as root_number
    from roots
    inner join codes
        on roots.exception_code = codes.exception_code

),

weighed as (

    select
        coded.*,
        entities.time_zone,
        coded.repeated_count
        + case when coded.root_number = 1 then coalesce(consequences.consequence_count, 0) else 0 end
            as consequence_count,
        case
            -- Information stays information, however large the sum it informs about.
            when coded.code_severity = 'S4' or not coded.is_money or tolerances.currency_code is null
                then coded.code_severity
            when coded.amount_at_risk >= tolerances.severity_s1 then 'S1'
            when coded.amount_at_risk >= tolerances.severity_s2 then least(coded.code_severity, 'S2')
            when coded.amount_at_risk >= tolerances.severity_s3 then least(coded.code_severity, 'S3')
            else coded.code_severity
        end as severity
    from coded
    left join consequences
        on
            coded.marketplace_code = consequences.marketplace_code
            and coded.subject_type = consequences.root_subject_type
            and coded.subject_id = consequences.root_subject_id
    left join entities
        on coded.entity_code = entities.entity_code
    left join tolerances
        on coded.currency_code = tolerances.currency_code

),

{% if is_incremental() -%}
known as (

    select * from {{ this }}

),

dated as (

    select
        weighed.*,
        coalesce(known.first_seen_at, {{ as_of() }}) as first_seen_at
    from weighed
    left join known
        on weighed.exception_id = known.exception_id

),

{% else -%}
dated as (

    select
        weighed.*,
        {{ as_of() }} as first_seen_at
    from weighed

),

{% endif -%}

local as (

    select
        dated.*,
        {{ local_timestamp('dated.first_seen_at', "coalesce(dated.time_zone, 'UTC')") }} as local_seen_at,
        {{ local_date('dated.first_seen_at', "coalesce(dated.time_zone, 'UTC')") }} as local_seen_date
    from dated

),

timed as (

    -- Working time is 09:00 to 17:00 on working days. What is seen outside of it counts from the next opening.
    select
        local.*,
        case
            when
                {{ weekday_number('local.local_seen_date') }} >= 5
                or {{ minutes_between('cast(local.local_seen_date as timestamp)', 'local.local_seen_at') }} >= 1020
                then {{ add_business_days('local.local_seen_date', '1') }}
            else local.local_seen_date
        end as work_date,
        case
            when
                {{ weekday_number('local.local_seen_date') }} >= 5
                or {{ minutes_between('cast(local.local_seen_date as timestamp)', 'local.local_seen_at') }} >= 1020
                then 0
            else greatest(
                {{ minutes_between('cast(local.local_seen_date as timestamp)', 'local.local_seen_at') }} - 540, 0
            )
        end as worked_minutes
    from local

),

promised as (

    select
        timed.*,
        case timed.sla_unit
            when 'WORKING_HOUR'
                then {{ add_minutes(
                    'cast(' ~ add_business_days(
                        'timed.work_date',
                        integer_divide('cast(timed.worked_minutes + timed.sla_amount * 60 - 1 as bigint)', '480')
                    ) ~ ' as timestamp)',
                    '540 + (timed.worked_minutes + timed.sla_amount * 60 - 1) % 480 + 1'
                ) }}
            when 'BUSINESS_DAY'
                then {{ add_minutes(
                    'cast(' ~ add_business_days('timed.work_date', 'timed.sla_amount') ~ ' as timestamp)', '1020'
                ) }}
            -- Before the close: the fourth working day after the end of the month.
            else {{ add_minutes(
                'cast(' ~ add_business_days(month_end('timed.local_seen_date'), '4') ~ ' as timestamp)', '1020'
            ) }}
        end as local_due_at
    from timed

),

current_rows as (

    select
        promised.exception_id,
        promised.marketplace_code,
        promised.entity_code,
        promised.exception_code,
        promised.title,
        promised.severity,
        promised.owner_team,
        promised.root_cause,
        case when promised.code_severity = 'S4' then 'INFORMATION' else 'OPEN' end as status,
        promised.subject_type,
        promised.subject_id,
        cast(promised.amount_at_risk as decimal(18, 2)) as amount_at_risk,
        promised.currency_code,
        promised.first_seen_at,
        {{ as_of() }} as last_seen_at,
        {{ utc_from_local('promised.local_due_at', "coalesce(promised.time_zone, 'UTC')") }} as due_at,
        cast(null as timestamp) as resolved_at,
        promised.summary,
        promised.recommended_action,
        promised.runbook as runbook_url,
        cast(promised.consequence_count as integer) as consequence_count
    from promised

),

final as (

    select * from current_rows
    {% if is_incremental() -%}
    union all
    select
        known.exception_id,
        known.marketplace_code,
        known.entity_code,
        known.exception_code,
        known.title,
        known.severity,
        known.owner_team,
        known.root_cause,
        'RESOLVED' as status,
        known.subject_type,
        known.subject_id,
        known.amount_at_risk,
        known.currency_code,
        known.first_seen_at,
        known.last_seen_at,
        known.due_at,
        coalesce(known.resolved_at, {{ as_of() }}) as resolved_at,
        known.summary,
        known.recommended_action,
        known.runbook_url,
        known.consequence_count
    from known
    left join current_rows
        on known.exception_id = current_rows.exception_id
    where current_rows.exception_id is null
    {%- endif %}

)

select * from final

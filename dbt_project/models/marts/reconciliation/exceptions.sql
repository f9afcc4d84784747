-- Grain: one root exception, kept across runs: the same code on the same subject is the same row, first seen once. It closes itself
-- when a later run no longer finds it, and opens again when one does; a person closes it by accepting it or writing it off, as long as
-- its amount does not grow beyond what was decided. A promise once made stays; one that opens again gets a new one. Consequences of a
-- root are counted, not listed. Times come from the run's clock only, so the same input at the same time gives the same rows.
{{ config(
    materialized='incremental',
    unique_key='exception_id',
    incremental_strategy='delete+insert',
    on_schema_change='append_new_columns',
    full_refresh=false
) }}

{#- A warehouse of an earlier version lacks the newer columns in the run that adds them. In a unit test `this` is a text. -#}
{%- set existing_columns = adapter.get_columns_in_relation(this) if is_incremental() and this is not string else [] -%}
{%- set kept = existing_columns | map(attribute='name') | list -%}
{%- set is_older = is_incremental() and kept and 'opened_at' not in kept -%}

with

codes as (

    select * from {{ ref('stg_tieout__exception_codes') }}

),

root_causes as (

    -- Where the evidence tells another cause than the usual one.
    select * from {{ ref('int_matching__root_causes') }}

),

due_times as (

    select * from {{ ref('int_matching__due_times') }}

),

decisions as (

    select
        decisions.*,
        row_number() over (partition by decisions.exception_id order by decisions.decision_number desc) as newest
    from {{ ref('stg_tieout__decisions') }} as decisions
    where decisions.kind in ('ACCEPT', 'WRITE_OFF') and decisions.state in ('PROPOSED', 'EFFECTIVE')

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
        coalesce(root_causes.root_cause, codes.root_cause) as root_cause,
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
    left join root_causes
        on
            roots.exception_code = root_causes.exception_code
            and roots.marketplace_code = root_causes.marketplace_code
            and roots.subject_type = root_causes.subject_type
            and roots.subject_id = root_causes.subject_id

),

weighed as (

    select
        coded.*,
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
    left join tolerances
        on coded.currency_code = tolerances.currency_code

),

known as (

    {% if is_incremental() -%}
    select
        existing.exception_id,
        existing.marketplace_code,
        existing.entity_code,
        existing.exception_code,
        existing.title,
        existing.severity,
        existing.owner_team,
        existing.root_cause,
        existing.status,
        existing.subject_type,
        existing.subject_id,
        existing.amount_at_risk,
        existing.currency_code,
        existing.first_seen_at,
        existing.last_seen_at,
        existing.due_at,
        existing.resolved_at,
        existing.summary,
        existing.recommended_action,
        existing.runbook_url,
        existing.consequence_count,
        {% if is_older -%}
        existing.first_seen_at as opened_at,
        1 as times_opened,
        case when existing.status = 'RESOLVED' then 'BY_ITSELF' end as resolution,
        cast(null as varchar) as decision_key
        {%- else -%}
        existing.opened_at,
        existing.times_opened,
        existing.resolution,
        existing.decision_key
        {%- endif %}
    from {{ this }} as existing
    {%- else -%}
    select
        cast(null as varchar) as exception_id,
        cast(null as varchar) as status,
        cast(null as timestamp) as first_seen_at,
        cast(null as timestamp) as due_at,
        cast(null as timestamp) as opened_at,
        cast(null as integer) as times_opened
    where false
    {%- endif %}

),

decided as (

    -- A decision covers what was at risk when it was taken, and nothing on top.
    select
        weighed.*,
        decisions.decision_key,
        decisions.decided_at,
        case
            when decisions.decision_key is null then null
            when decisions.state = 'PROPOSED' then 'IN_PROGRESS'
            when weighed.amount_at_risk > coalesce(abs(decisions.amount), 0) then null
            when decisions.kind = 'ACCEPT' then 'RESOLVED'
            else 'WRITTEN_OFF'
        end as decided_status
    from weighed
    left join decisions
        on weighed.exception_id = decisions.exception_id and decisions.newest = 1

),

opened as (

    select
        decided.*,
        coalesce(
            decided.decided_status, case when decided.code_severity = 'S4' then 'INFORMATION' else 'OPEN' end
        ) as status,
        coalesce(known.first_seen_at, {{ as_of() }}) as first_seen_at,
        coalesce(known.times_opened, 0) as known_times_opened,
        known.opened_at as known_opened_at,
        known.due_at as known_due_at,
        coalesce(known.exception_id is null, true)
        or (
            known.status in ('RESOLVED', 'WRITTEN_OFF')
            and coalesce(decided.decided_status, 'OPEN') in ('OPEN', 'IN_PROGRESS')
        ) as is_opening
    from decided
    left join known
        on decided.exception_id = known.exception_id

),

current_rows as (

    select
        opened.exception_id,
        opened.marketplace_code,
        opened.entity_code,
        opened.exception_code,
        opened.title,
        opened.severity,
        opened.owner_team,
        opened.root_cause,
        opened.status,
        opened.subject_type,
        opened.subject_id,
        cast(opened.amount_at_risk as decimal(18, 2)) as amount_at_risk,
        opened.currency_code,
        opened.first_seen_at,
        {{ as_of() }} as last_seen_at,
        case when opened.is_opening then due_times.due_at else opened.known_due_at end as due_at,
        case when opened.status in ('RESOLVED', 'WRITTEN_OFF') then opened.decided_at end as resolved_at,
        opened.summary,
        opened.recommended_action,
        opened.runbook as runbook_url,
        cast(opened.consequence_count as integer) as consequence_count,
        case when opened.is_opening then {{ as_of() }} else opened.known_opened_at end as opened_at,
        cast(opened.known_times_opened + case when opened.is_opening then 1 else 0 end as integer) as times_opened,
        case opened.status when 'RESOLVED' then 'ACCEPTED' when 'WRITTEN_OFF' then 'WRITTEN_OFF' end as resolution,
        case when opened.decided_status is not null then opened.decision_key end as decision_key
    from opened
    left join due_times
        on
            coalesce(opened.entity_code, '*') = due_times.entity_code
            and opened.sla_unit = due_times.sla_unit
            and coalesce(opened.sla_amount, 0) = due_times.sla_amount

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
        case when known.status = 'WRITTEN_OFF' then 'WRITTEN_OFF' else 'RESOLVED' end as status,
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
        known.consequence_count,
        known.opened_at,
        cast(known.times_opened as integer) as times_opened,
        coalesce(known.resolution, 'BY_ITSELF') as resolution,
        known.decision_key
    from known
    left join current_rows
        on known.exception_id = current_rows.exception_id
    where current_rows.exception_id is null
    {%- endif %}

)

select * from final

-- Grain: exception × event of its life: opened, changed (amount or severity), closed by itself, opened again, accepted, written off.
-- Appended to, never changed. The first build of a new warehouse begins it with what it finds.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    full_refresh=false
) }}

with

exceptions as (

    select * from {{ ref('exceptions') }}

),

decisions as (

    select * from {{ ref('stg_tieout__decisions') }}

),

last_events as (

    {% if is_incremental() -%}
    select
        events.exception_id,
        events.event_number,
        events.status,
        events.severity,
        events.amount_at_risk
    from (
        select
            existing.*,
            row_number() over (partition by existing.exception_id order by existing.event_number desc) as newest
        from {{ this }} as existing
    ) as events
    where events.newest = 1
    {%- else -%}
    select
        cast(null as varchar) as exception_id,
        cast(null as integer) as event_number,
        cast(null as varchar) as status,
        cast(null as varchar) as severity,
        cast(null as decimal(18, 2)) as amount_at_risk
    where false
    {%- endif %}

),

compared as (

    select
        exceptions.*,
        coalesce(last_events.event_number, 0) as last_number,
        case
            when exceptions.status = 'WRITTEN_OFF'
                then case when coalesce(last_events.status, '') <> 'WRITTEN_OFF' then 'WRITTEN_OFF' end
            when exceptions.status = 'RESOLVED'
                then
                    case
                        when coalesce(last_events.status, '') <> 'RESOLVED'
                            then case exceptions.resolution when 'ACCEPTED' then 'ACCEPTED' else 'CLOSED' end
                    end
            when last_events.exception_id is null then 'OPENED'
            when last_events.status in ('RESOLVED', 'WRITTEN_OFF') then 'REOPENED'
            when
                last_events.status <> exceptions.status
                or last_events.severity <> exceptions.severity
                or coalesce(last_events.amount_at_risk, 0) <> coalesce(exceptions.amount_at_risk, 0)
                then 'UPDATED'
        end as event_type
    from exceptions
    left join last_events
        on exceptions.exception_id = last_events.exception_id

),

final as (

    select
        compared.exception_id,
        cast(compared.last_number + 1 as integer) as event_number,
        {{ as_of() }} as event_at,
        compared.event_type,
        compared.marketplace_code,
        compared.entity_code,
        compared.exception_code,
        compared.subject_type,
        compared.subject_id,
        compared.status,
        compared.severity,
        compared.amount_at_risk,
        compared.currency_code,
        compared.decision_key,
        {{ without_contacts('decisions.reason') }} as reason
    from compared
    left join decisions
        on compared.decision_key = decisions.decision_key
    where compared.event_type is not null

)

select * from final

{#-
    Months that an entity has locked, each with the first month after its newest locked one: where a journal of a locked
    month goes that the ERP does not hold yet. Months are locked in their order, so no locked one lies behind it.
-#}
{% macro locked_periods() -%}
    select
        locks.entity_code,
        locks.period,
        locks.taken_at as locked_at,
        {{ period_of(add_days(
            "cast(max(locks.period) over (partition by locks.entity_code) || '-01' as date)", '32'
        )) }} as open_period
    from {{ ref('stg_tieout__close_events') }} as locks
    where locks.kind = 'LOCKED' and locks.is_standing
{%- endmacro %}

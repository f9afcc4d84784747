-- Which source of exchange rates an entity takes for which purpose, effective-dated. The lowest priority comes first.

with source as (
    select * from {{ ref('exchange_rate_rules') }}
),

final as (
    select
        nullif(trim(source.entity_code), '') as entity_code,
        upper(nullif(trim(source.purpose), '')) as purpose,
        cast(nullif(trim(source.priority), '') as integer) as priority,
        upper(nullif(trim(source.rate_source), '')) as rate_source,
        cast(nullif(trim(source.maximum_age_days), '') as integer) as maximum_age_days,
        {{ calendar_date('source.effective_from') }} as effective_from
    from source
)

select * from final

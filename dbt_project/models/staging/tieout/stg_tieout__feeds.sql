-- Feeds with their freshness limits, and the perspective of the marketplaces that have them.

with source as (
    select * from {{ ref('feeds') }}
),

final as (
    select
        nullif(trim(source.vendor), '') as vendor,
        nullif(trim(source.entity), '') as entity,
        nullif(trim(source.lane), '') as lane,
        upper(coalesce(nullif(trim(source.perspective), ''), 'BOTH')) as perspective,
        cast(nullif(trim(source.freshness_hours), '') as integer) as freshness_hours,
        cast(nullif(trim(source.overlap_minutes), '') as integer) as overlap_minutes
    from source
)

select * from final

-- Published and chosen frequencies of each call; several rows of one call hold together.

with source as (
    select * from {{ ref('call_budgets') }}
),

final as (
    select
        nullif(trim(source.vendor), '') as vendor,
        nullif(trim(source.call), '') as call_name,
        nullif(trim(source.marketplace_code), '') as marketplace_code,
        cast(nullif(trim(source.recommended_calls), '') as bigint) as recommended_count,
        cast(nullif(trim(source.recommended_seconds), '') as bigint) as recommended_seconds,
        cast(nullif(trim(source.maximum_calls), '') as bigint) as maximum_count,
        cast(nullif(trim(source.maximum_seconds), '') as bigint) as maximum_seconds,
        upper(nullif(trim(source.counts), '')) as counts,
        nullif(trim(source.source), '') as source_text
    from source
)

select * from final

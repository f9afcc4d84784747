-- How long the evidence of a feed may be kept.

with source as (
    select * from {{ ref('retention') }}
),

final as (
    select
        nullif(trim(source.vendor), '') as vendor,
        nullif(trim(source.entity), '') as feed,
        cast(source.months as integer) as months
    from source
)

select * from final

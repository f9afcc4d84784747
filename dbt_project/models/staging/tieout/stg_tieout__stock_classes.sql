-- Classes of items by how fast they sell.

with source as (
    select * from {{ ref('stock_classes') }}
),

final as (
    select
        nullif(trim(source.velocity_code), '') as velocity_code,
        {{ to_decimal('source.minimum_sold') }} as minimum_quantity,
        {{ to_decimal('source.buffer') }} as buffer_quantity,
        lower(trim(coalesce(source.is_held_when_stale, ''))) in ('true', 't', 'yes', 'y', '1', 'on')
            as is_held_when_stale
    from source
)

select * from final

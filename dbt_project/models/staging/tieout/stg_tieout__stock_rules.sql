-- Stock rules by item.

with source as (
    select * from {{ ref('stock_rules') }}
),

final as (
    select
        nullif(trim(source.marketplace_code), '') as marketplace_code,
        nullif(trim(source.item_code), '') as item_code,
        {{ to_decimal('source.buffer') }} as buffer_quantity,
        {{ to_decimal('source.pack_size') }} as pack_size,
        {{ to_decimal('source.maximum_quantity') }} as maximum_quantity,
        lower(trim(coalesce(source.is_run_off_allowed, ''))) in ('true', 't', 'yes', 'y', '1', 'on')
            as is_run_off_allowed,
        {{ to_decimal('source.share_percent') }} as share_percent
    from source
)

select * from final

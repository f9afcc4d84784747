-- Offer rules by item.

with source as (
    select * from {{ ref('offer_rules') }}
),

final as (
    select
        nullif(trim(source.marketplace_code), '') as marketplace_code,
        nullif(trim(source.item_code), '') as item_code,
        lower(trim(coalesce(source.is_listable, ''))) in ('true', 't', 'yes', 'y', '1', 'on') as is_listable,
        {{ to_decimal('source.package_quantity') }} as package_quantity,
        {{ to_decimal('source.floor_amount') }} as floor_amount,
        cast(nullif(trim(source.price_push_minutes), '') as integer) as price_push_minutes,
        upper(coalesce(nullif(trim(source.when_discontinued), ''), 'ZERO')) as when_discontinued,
        upper(coalesce(nullif(trim(source.price_push), ''), 'NEVER')) as price_push,
        {{ to_decimal('source.maximum_change_percent') }} as maximum_change_percent,
        upper(coalesce(nullif(trim(source.when_unlisted), ''), 'NEVER')) as when_unlisted,
        nullif(trim(source.condition_code), '') as condition_code
    from source
)

select * from final

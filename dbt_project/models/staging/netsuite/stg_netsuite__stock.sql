-- One row per item and location, as of the reading. on hand includes committed; available = on hand - committed, at least
-- nil. All quantities are empty where the item never was.

with source as (
    {{ newest_snapshot(source('raw', 'netsuite_stock'), 'netsuite', 'stock', ['item', 'location']) }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.item), '') as item_id,
        nullif(trim(source.location), '') as location_id,
        {{ to_decimal('source.quantityonhand') }} as on_hand_quantity,
        {{ to_decimal('source.quantityavailable') }} as available_quantity,
        {{ to_decimal('source.quantitycommitted') }} as committed_quantity,
        {{ to_decimal('source.quantitybackordered') }} as back_ordered_quantity,
        {{ utc_timestamp('source.lastquantityavailablechange') }} as changed_at,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

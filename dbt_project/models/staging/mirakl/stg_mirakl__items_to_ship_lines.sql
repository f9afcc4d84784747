-- One row per order line that waits to be shipped.

with parents as (
    select * from {{ ref('stg_mirakl__items_to_ship') }}
),

source as (
    select children.*
    from {{ source('raw', 'mirakl_items_to_ship_lines') }} as children
    inner join parents
        on
            children._account = parents.marketplace_code
            and children._file = parents._file
            and children._position = parents._position
),

final as (
    select
        source._account as marketplace_code,
        nullif(trim(source.order_id), '') as order_id,
        nullif(trim(source.order_line_id), '') as order_line_id,
        nullif(trim(source.offer_sku), '') as shop_sku,
        {{ to_decimal('source.quantity') }} as quantity,
        source._index as line_index
    from source
)

select * from final

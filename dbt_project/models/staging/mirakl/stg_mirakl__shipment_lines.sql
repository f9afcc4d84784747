-- One row per order line in a shipment.

with parents as (
    select * from {{ ref('stg_mirakl__shipments') }}
),

source as (
    select children.*
    from {{ source('raw', 'mirakl_shipment_lines') }} as children
    inner join parents
        on
            children._account = parents.marketplace_code
            and children._file = parents._file
            and children._position = parents._position
),

final as (
    select
        source._account as marketplace_code,
        nullif(trim(source.shipment_id), '') as shipment_id,
        nullif(trim(source.order_line_id), '') as order_line_id,
        nullif(trim(source.offer_sku), '') as shop_sku,
        nullif(trim(source.package_reference), '') as package_reference,
        {{ to_decimal('source.quantity') }} as quantity,
        source._index as line_index
    from source
)

select * from final

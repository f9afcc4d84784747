-- One row per refund that waits to be paid.

with parents as (
    select * from {{ ref('stg_mirakl__payment_refunds') }}
),

source as (
    select children.*
    from {{ source('raw', 'mirakl_payment_refund_items') }} as children
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
        nullif(trim(source.refund_id), '') as refund_id,
        {{ to_decimal('source.amount') }} as amount,
        source._index as line_index
    from source
)

select * from final

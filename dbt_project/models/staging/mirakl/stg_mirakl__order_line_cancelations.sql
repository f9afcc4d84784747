-- One row per cancelation of an order line (part or whole, before it ships). Amounts are positive.
{{ config(materialized='table') }}

with parents as (
    select * from {{ ref('stg_mirakl__orders') }}
),

source as (
    select children.*
    from {{ source('raw', 'mirakl_order_line_cancelations') }} as children
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
        nullif(trim(source.cancelation_id), '') as cancelation_id,
        nullif(trim(source.reason_code), '') as reason_code,
        {{ to_decimal('source.amount') }} as amount,
        {{ to_decimal('source.shipping_amount') }} as shipping_amount,
        {{ to_decimal('source.commission_amount') }} as commission_amount,
        {{ to_decimal('source.commission_tax_amount') }} as commission_tax_amount,
        {{ to_decimal('source.commission_total_amount') }} as commission_total_amount,
        {{ to_decimal('source.quantity') }} as quantity,
        {{ utc_timestamp('source.created_date') }} as created_at,
        source._index as line_index
    from source
)

select * from final

-- One row per refund of an order line. Amounts are positive; quantity is informative only.
{{ config(materialized='table') }}

with parents as (
    select * from {{ ref('stg_mirakl__orders') }}
),

source as (
    select children.*
    from {{ source('raw', 'mirakl_order_line_refunds') }} as children
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
        nullif(trim(source.order_refund_id), '') as order_refund_id,
        upper(nullif(trim(source.refund_state), '')) as refund_state,
        nullif(trim(source.reason_code), '') as reason_code,
        nullif(trim(source.transaction_number), '') as transaction_number,
        {{ to_decimal('source.amount') }} as amount,
        {{ to_decimal('source.shipping_amount') }} as shipping_amount,
        {{ to_decimal('source.commission_amount') }} as commission_amount,
        {{ to_decimal('source.commission_tax_amount') }} as commission_tax_amount,
        {{ to_decimal('source.commission_total_amount') }} as commission_total_amount,
        {{ to_decimal('source.quantity') }} as quantity,
        {{ utc_timestamp('source.created_date') }} as created_at,
        {{ utc_timestamp('source.transaction_date') }} as transaction_at,
        source._index as line_index
    from source
)

select * from final

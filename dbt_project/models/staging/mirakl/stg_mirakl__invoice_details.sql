-- One row per detail line of an accounting document.

with parents as (
    select * from {{ ref('stg_mirakl__invoices') }}
),

source as (
    select children.*
    from {{ source('raw', 'mirakl_invoice_details') }} as children
    inner join parents
        on
            children._account = parents.marketplace_code
            and children._file = parents._file
            and children._position = parents._position
),

final as (
    select
        source._account as marketplace_code,
        nullif(trim(source.invoice_key), '') as document_key,
        nullif(trim(source.order_id), '') as order_id,
        nullif(trim(source.description), '') as description,
        {{ to_decimal('source.quantity') }} as quantity,
        {{ to_decimal('source.amount_excl_taxes') }} as net_amount,
        {{ utc_timestamp('source.operation_date') }} as operation_at,
        source._index as line_index
    from source
)

select * from final

-- One row per tax total of an accounting document.

with parents as (
    select * from {{ ref('stg_mirakl__invoices') }}
),

source as (
    select children.*
    from {{ source('raw', 'mirakl_invoice_taxes') }} as children
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
        nullif(trim(source.code), '') as tax_code,
        {{ to_decimal('source.amount') }} as amount,
        source._index as line_index
    from source
)

select * from final

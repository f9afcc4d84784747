-- One row per order line of a return. is_compliant is empty until the goods were looked at.

with parents as (
    select * from {{ ref('stg_mirakl__returns') }}
),

source as (
    select children.*
    from {{ source('raw', 'mirakl_return_lines') }} as children
    inner join parents
        on
            children._account = parents.marketplace_code
            and children._file = parents._file
            and children._position = parents._position
),

final as (
    select
        source._account as marketplace_code,
        nullif(trim(source.return_id), '') as return_id,
        nullif(trim(source.order_line_id), '') as order_line_id,
        nullif(trim(source.reason_code), '') as reason_code,
        {{ to_decimal('source.quantity') }} as quantity,
        source.is_compliant,
        source._index as line_index
    from source
)

select * from final

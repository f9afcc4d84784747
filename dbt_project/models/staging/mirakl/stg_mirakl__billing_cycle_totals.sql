-- One row per summary total of a billing cycle. For cross-checking only: the vendor's signs vary between fields.

with parents as (
    select * from {{ ref('stg_mirakl__billing_cycles') }}
),

source as (
    select children.*
    from {{ source('raw', 'mirakl_billing_cycle_totals') }} as children
    inner join parents
        on
            children._account = parents.marketplace_code
            and children._file = parents._file
            and children._position = parents._position
),

final as (
    select
        source._account as marketplace_code,
        nullif(trim(source.billing_cycle_id), '') as billing_cycle_id,
        nullif(trim(source.name), '') as total_name,
        {{ to_decimal('source.amount') }} as amount,
        source._index as line_index
    from source
)

select * from final

-- One row per tax of an order line, refund or cancelation. tax_kind says what is taxed: the price, the shipping or
-- the commission.
{{ config(materialized='table') }}

with parents as (
    select * from {{ ref('stg_mirakl__orders') }}
),

source as (
    select children.*
    from {{ source('raw', 'mirakl_order_line_taxes') }} as children
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
        upper(nullif(trim(source.parent_type), '')) as parent_type,
        nullif(trim(source.parent_id), '') as parent_id,
        upper(nullif(trim(source.tax_kind), '')) as tax_kind,
        nullif(trim(source.code), '') as tax_code,
        upper(nullif(trim(source.tax_calculation_rule), '')) as tax_calculation_rule,
        {{ to_decimal('source.rate', 6) }} as tax_rate,
        {{ to_decimal('source.amount') }} as amount,
        source.is_payable_to_shop,
        source._index as line_index
    from source
)

select * from final

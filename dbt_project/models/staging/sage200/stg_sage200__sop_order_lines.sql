-- One row per line of the newest version of a sales order. Quantities in the selling unit, prices net of VAT.
{{ config(materialized='table') }}

with parents as (
    select * from {{ ref('stg_sage200__sop_orders') }}
),

source as (
    select children.*
    from {{ source('raw', 'sage200_sop_order_lines') }} as children
    inner join parents
        on
            children._account = parents.erp_code
            and children._file = parents._file
            and children._position = parents._position
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.sop_order_id), '') as sop_order_id,
        nullif(trim(source.id), '') as sop_order_line_id,
        try_cast(nullif(trim(source.line_number), '') as bigint) as line_number,
        nullif(trim(source.line_type), '') as line_type,
        nullif(nullif(trim(source.product_id), ''), '0') as product_id,
        nullif(trim(source.code), '') as item_code,
        nullif(trim(source.description), '') as description,
        nullif(nullif(trim(source.tax_code_id), ''), '0') as tax_code_id,
        nullif(nullif(trim(source.warehouse_id), ''), '0') as warehouse_id,
        nullif(trim(source.analysis_code_1), '') as analysis_code_1,
        nullif(trim(source.analysis_code_2), '') as analysis_code_2,
        nullif(trim(source.analysis_code_3), '') as analysis_code_3,
        nullif(trim(source.analysis_code_4), '') as analysis_code_4,
        nullif(trim(source.analysis_code_5), '') as analysis_code_5,
        {{ to_decimal('source.line_quantity') }} as quantity,
        {{ to_decimal('source.allocated_quantity') }} as allocated_quantity,
        {{ to_decimal('source.despatch_receipt_quantity') }} as despatched_quantity,
        {{ to_decimal('source.invoice_credit_quantity') }} as invoiced_quantity,
        {{ to_decimal('source.posted_invoice_credit_quantity') }} as posted_quantity,
        {{ to_decimal('source.selling_unit_price', 6) }} as unit_price,
        {{ to_decimal('source.unit_discount_value', 6) }} as unit_discount,
        {{ to_decimal('source.line_total_value') }} as net_amount,
        {{ to_decimal('source.line_tax_value') }} as tax_amount,
        source._index as line_index
    from source
)

select * from final

-- One row per line of a despatch: the newest version received. Quantities in the selling unit. saved_at moves when the line is invoiced.
{{ config(materialized='table') }}

with source as (
    {{ newest_versions(source('raw', 'sage200_despatch_lines'), ['sop_despatch_line_id'], 'date_time_updated') }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.sop_despatch_line_id), '') as despatch_line_id,
        nullif(trim(source.sop_despatch_document_no), '') as despatch_no,
        nullif(trim(source.sop_order_id), '') as sop_order_id,
        nullif(trim(source.sop_order_line_id), '') as sop_order_line_id,
        nullif(trim(source.product_code), '') as item_code,
        {{ to_decimal('source.sop_despatch_line_quantity') }} as quantity,
        nullif(trim(source.sop_despatch_courier_name), '') as courier_name,
        nullif(trim(source.sop_despatch_consignment_no), '') as consignment_no,
        {{ calendar_date('source.sop_despatch_date') }} as despatch_date,
        {{ utc_timestamp('source.date_time_updated') }} as saved_at,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

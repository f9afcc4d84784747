-- One row per sales order, deleted ones and those of other subsidiaries too. gross_amount as the main line has it: tax
-- included, in the order's currency, positive. is_counted: it stands in the books of the company that erps.csv names.
{{ config(materialized='table') }}

with source as (
    {{ newest_versions(source('raw', 'netsuite_sales_orders'), ['id'], 'lastmodifieddate') }}
),

deleted as (
    {{ netsuite_deleted('TRANSACTION') }}
),

erps as (
    select * from {{ ref('stg_tieout__erps') }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.id), '') as order_id,
        nullif(trim(source.tranid), '') as document_no,
        -- An order that was written without the buyer's number still bears it in its external id.
        coalesce(
            nullif(trim(source.otherrefnum), ''),
            case when source.externalid like 'SO-%' then substr(source.externalid, 4) end
        ) as order_reference,
        nullif(trim(source.entity), '') as customer_id,
        nullif(trim(source.currency), '') as currency_id,
        nullif(trim(source.subsidiary), '') as subsidiary_id,
        nullif(trim(source.class), '') as class_id,
        -- REST gives the bare letter, other ways of asking `SalesOrd:B`.
        right(nullif(trim(source.status), ''), 1) as status_code,
        {{ to_decimal('source.foreigntotal') }} as gross_amount,
        {{ calendar_date('source.trandate') }} as document_date,
        {{ utc_timestamp('source.createddate') }} as created_at,
        {{ utc_timestamp('source.lastmodifieddate') }} as updated_at,
        deleted.record_id is not null as is_deleted,
        deleted.record_id is null
        and coalesce(source.subsidiary = erps.subsidiary_id, true) as is_counted,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
    left join deleted
        on
            source._account = deleted.erp_code
            and trim(source.id) = deleted.record_id
    left join erps
        on source._account = erps.erp_code
)

select * from final

-- One row per transaction of the feeds of fulfilments, invoices, credits, returns, refunds, payments and deposits, deleted
-- ones too. Amounts in the document's currency with NetSuite's sign, which is not the same on every account for credits.
-- created_from_id: the order of a fulfilment or invoice, the invoice of a credit.
{{ config(materialized='table') }}

with source as (
    {% for feed in netsuite_documents() -%}
    {{ "union all" if not loop.first }}
    select
        '{{ feed }}' as feed,
        versions.*
    from (
        {{ newest_versions(source('raw', 'netsuite_' ~ feed), ['id'], 'lastmodifieddate') }}
    ) as versions
    {% endfor %}
),

deleted as (
    {{ netsuite_deleted('TRANSACTION') }}
),

final as (
    select
        source._account as erp_code,
        source.feed,
        nullif(trim(source.id), '') as transaction_id,
        nullif(trim(source.type), '') as transaction_type,
        nullif(trim(source.tranid), '') as document_no,
        nullif(trim(source.otherrefnum), '') as document_reference,
        nullif(trim(source.externalid), '') as external_id,
        nullif(trim(source.entity), '') as customer_id,
        nullif(trim(source.currency), '') as currency_id,
        nullif(trim(source.subsidiary), '') as subsidiary_id,
        nullif(trim(source.createdfrom), '') as created_from_id,
        nullif(trim(source.shipmethod_name), '') as ship_method_name,
        right(nullif(trim(source.status), ''), 1) as status_code,
        coalesce(source.voided, false) as is_voided,
        {{ to_decimal('source.foreigntotal') }} as gross_amount,
        {{ to_decimal('source.foreignamountunpaid') }} as unpaid_amount,
        {{ calendar_date('source.trandate') }} as document_date,
        {{ utc_timestamp('source.createddate') }} as created_at,
        {{ utc_timestamp('source.lastmodifieddate') }} as updated_at,
        deleted.record_id is not null as is_deleted,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
    left join deleted
        on
            source._account = deleted.erp_code
            and trim(source.id) = deleted.record_id
)

select * from final

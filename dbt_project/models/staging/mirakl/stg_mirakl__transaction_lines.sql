-- One row per marketplace and movement of the seller's balance: the newest version received. amount = credited -
-- debited, seen from the seller. Only what a model reads: what else Mirakl says of a line is in raw, and millions of rows are narrow.
{{ config(
    materialized='table',
    meta={'patch_key': ['marketplace_code', 'transaction_line_id'], 'patched_from': ['mirakl_transaction_lines']}
) }}
{%- set received = source('raw', 'mirakl_transaction_lines') %}

with
{%- if is_patched() %}
-- All versions of the lines of which there is something new.
touched as (
    select distinct
        _account,
        nullif(trim(id), '') as transaction_line_id
    from {{ received }}
    where _file not in {{ files_built('mirakl_transaction_lines') }}
),

touched_versions as (
    select versions.*
    from {{ received }} as versions
    inner join touched
        on
            versions._account = touched._account
            and nullif(trim(versions.id), '') = touched.transaction_line_id
),

source as (
    {{ newest_versions('touched_versions', ['id'], 'last_updated') }}
),
{%- else %}
source as (
    {{ newest_versions(received, ['id'], 'last_updated') }}
),
{%- endif %}

final as (
    select
        source._account as marketplace_code,
        nullif(trim(source.id), '') as transaction_line_id,
        upper(nullif(trim(source.type), '')) as transaction_type,
        upper(nullif(trim(source.payment_state), '')) as payment_state,
        nullif(trim(source.accounting_document_number), '') as document_number,
        nullif(trim(source.accounting_document_id), '') as document_id,
        nullif(trim(source.seller_billing_cycle_id), '') as billing_cycle_id,
        nullif(trim(source.payment_voucher_number), '') as voucher_number,
        nullif(trim(source.order_id), '') as order_id,
        nullif(trim(source.order_line_id), '') as order_line_id,
        nullif(trim(source.refund_id), '') as refund_id,
        nullif(trim(source.fee_code), '') as fee_code,
        nullif(trim(source.order_fee_code), '') as order_fee_code,
        nullif(trim(source.manual_document_number), '') as manual_document_number,
        nullif(trim(source.one_off_description), '') as one_off_description,
        nullif(trim(source.shop_id), '') as shop_id,
        upper(nullif(trim(source.currency_iso_code), '')) as currency_code,
        {{ to_decimal('source.amount') }} as amount,
        {{ to_decimal('source.amount_credited') }} as amount_credited,
        {{ to_decimal('source.amount_debited') }} as amount_debited,
        {{ to_decimal('source.balance') }} as running_balance,
        {{ to_decimal('source.shop_tax_rate', 6) }} as shop_tax_rate,
        {{ utc_timestamp('source.date_created') }} as created_at,
        {{ utc_timestamp('source.accounting_document_creation_date') }} as document_created_at,
        {{ utc_timestamp('source.last_updated') }} as updated_at,
        source._file,
        source._position
    from source
)

select * from final

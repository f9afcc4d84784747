-- One row per posted sales ledger transaction. Invoices positive; receipts and credit notes negative, also where a site
-- shows them positive: no document says which of the two it does.
{{ config(materialized='table') }}

with source as (
    {{ newest_versions(source('raw', 'sage200_sales_posted_transactions'), ['id'], 'date_time_updated') }}
),

typed as (
    select
        source._account as erp_code,
        nullif(trim(source.id), '') as posted_transaction_id,
        nullif(nullif(trim(source.customer_id), ''), '0') as customer_id,
        nullif(trim(source.trader_transaction_type), '') as trader_transaction_type,
        nullif(trim(source.reference), '') as reference,
        nullif(trim(source.second_reference), '') as second_reference,
        nullif(trim(source.urn), '') as urn,
        nullif(trim(source.user_name), '') as user_name,
        {{ to_decimal('source.document_goods_value') }} as goods_amount,
        {{ to_decimal('source.document_tax_value') }} as tax_amount,
        {{ to_decimal('source.document_gross_value') }} as gross_amount,
        {{ to_decimal('source.document_outstanding_value') }} as outstanding_amount,
        {{ to_decimal('source.document_allocated_value') }} as allocated_amount,
        {{ to_decimal('source.base_gross_value') }} as base_gross_amount,
        {{ calendar_date('source.transaction_date') }} as transaction_date,
        {{ calendar_date('source.posted_date') }} as posted_date,
        {{ utc_timestamp('source.date_time_created') }} as created_at,
        {{ utc_timestamp('source.date_time_updated') }} as updated_at,
        source._file,
        source._position,
        source._fetched_at as fetched_at,
        trim(source.trader_transaction_type) in (
            'TradingAccountEntryTypeCreditNote',
            'TradingAccountEntryTypeOpeningBalanceCreditNote',
            'TradingAccountEntryTypePurchasePaymentSalesReceipt'
        ) as is_credit
    from source
),

final as (
    select
        erp_code,
        posted_transaction_id,
        customer_id,
        trader_transaction_type,
        reference,
        second_reference,
        urn,
        user_name,
        {%- for amount in ['goods', 'tax', 'gross', 'outstanding', 'allocated', 'base_gross'] %}
        case when is_credit and gross_amount > 0 then -{{ amount }}_amount else {{ amount }}_amount end
            as {{ amount }}_amount,
        {%- endfor %}
        transaction_date,
        posted_date,
        created_at,
        updated_at,
        _file,
        _position,
        fetched_at
    from typed
)

select * from final

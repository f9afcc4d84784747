-- One row per marketplace and billing cycle. Transferred amounts are what goes to the seller and to the operator.
{{ config(materialized='table') }}

with source as (
    {{ newest_snapshot(source('raw', 'mirakl_billing_cycles'), 'mirakl', 'billing_cycles', ['id']) }}
),

final as (
    select
        source._account as marketplace_code,
        nullif(trim(source.id), '') as billing_cycle_id,
        upper(nullif(trim(source.pay_out_state), '')) as pay_out_state,
        nullif(trim(source.pay_out_reference), '') as pay_out_reference,
        nullif(trim(source.pay_out_failure_reason), '') as pay_out_failure_reason,
        nullif(trim(source.pay_out_psp_code), '') as pay_out_psp_code,
        nullif(trim(source.payment_voucher_number), '') as voucher_number,
        nullif(trim(source.shop_id), '') as shop_id,
        upper(nullif(trim(source.currency_iso_code), '')) as currency_code,
        {{ to_decimal('source.amount_transferred_to_seller') }} as transferred_to_seller_amount,
        {{ to_decimal('source.amount_transferred_to_operator') }} as transferred_to_operator_amount,
        {{ utc_timestamp('source.date_created') }} as created_at,
        {{ utc_timestamp('source.pay_out_transaction_date') }} as pay_out_at,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

-- One row per shop of a marketplace that we operate: its state, its model, and the balances that Mirakl states for it.
{{ config(materialized='table') }}

with source as (
    {{ newest_snapshot(source('raw', 'mirakl_shops'), 'mirakl', 'shops', ['shop_id']) }}
),

final as (
    select
        source._account as marketplace_code,
        nullif(trim(source.shop_id), '') as shop_id,
        nullif(trim(source.shop_name), '') as shop_name,
        nullif(trim(source.operator_internal_id), '') as operator_internal_id,
        nullif(trim(source.corporate_name), '') as corporate_name,
        nullif(trim(source.tax_number), '') as tax_number,
        upper(nullif(trim(source.shop_state), '')) as shop_state,
        upper(nullif(trim(source.suspension_type), '')) as suspension_type,
        upper(nullif(trim(source.model), '')) as shop_model,
        upper(nullif(trim(source.kyc_status), '')) as kyc_state,
        upper(nullif(trim(source.currency_iso_code), '')) as currency_code,
        {{ to_decimal('source.paid_balance') }} as paid_balance,
        {{ to_decimal('source.payable_balance') }} as payable_balance,
        {{ to_decimal('source.pending_balance') }} as pending_balance,
        {{ to_decimal('source.reserve_balance') }} as reserve_balance,
        coalesce(source.payment_blocked, false) as is_payment_blocked,
        {{ utc_timestamp('source.date_created') }} as created_at,
        {{ utc_timestamp('source.last_updated_date') }} as updated_at,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

-- One row per marketplace account: the shop's state and balances, a cross-check and not a ledger.
{{ config(materialized='table') }}

with source as (
    {{ newest_snapshot(source('raw', 'mirakl_account'), 'mirakl', 'account', ['shop_id']) }}
),

final as (
    select
        source._account as marketplace_code,
        nullif(trim(source.shop_id), '') as shop_id,
        nullif(trim(source.shop_name), '') as shop_name,
        upper(nullif(trim(source.shop_state), '')) as shop_state,
        upper(nullif(trim(source.suspension_type), '')) as suspension_type,
        upper(nullif(trim(source.model), '')) as shop_model,
        upper(nullif(trim(source.currency_iso_code), '')) as currency_code,
        {{ to_decimal('source.paid_balance') }} as paid_balance,
        {{ to_decimal('source.payable_balance') }} as payable_balance,
        {{ to_decimal('source.pending_balance') }} as pending_balance,
        {{ to_decimal('source.reserve_balance') }} as reserve_balance,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

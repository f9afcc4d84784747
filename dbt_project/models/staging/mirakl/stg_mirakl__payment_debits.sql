-- One row per order whose debit the operator's payment system has to confirm, as of the newest whole reading.

with source as (
    {{ newest_snapshot(source('raw', 'mirakl_payment_debits'), 'mirakl', 'payment_debits', ['order_id']) }}
),

final as (
    select
        source._account as marketplace_code,
        nullif(trim(source.order_id), '') as order_id,
        nullif(trim(source.shop_id), '') as shop_id,
        nullif(trim(source.payment_workflow), '') as payment_workflow,
        upper(nullif(trim(source.debit_entity_type), '')) as debit_entity_type,
        nullif(trim(source.debit_entity_id), '') as debit_entity_id,
        upper(nullif(trim(source.currency_iso_code), '')) as currency_code,
        {{ to_decimal('source.amount') }} as amount,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

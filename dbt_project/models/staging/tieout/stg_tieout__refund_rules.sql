-- How credit notes of the ERP are refunded at the marketplaces, and refunds of the marketplaces credited in the ERP.

with source as (
    select * from {{ ref('refund_rules') }}
),

final as (
    select
        nullif(trim(source.marketplace_code), '') as marketplace_code,
        nullif(trim(source.reason_code), '') as reason_code,
        lower(trim(coalesce(source.is_refund_sent, ''))) in ('true', 't', 'yes', 'y', '1', 'on') as is_refund_sent,
        upper(coalesce(nullif(trim(source.credit_notes), ''), 'NEVER')) as credit_notes,
        nullif(trim(source.goods_credit_item), '') as goods_credit_item,
        nullif(trim(source.shipping_credit_item), '') as shipping_credit_item
    from source
)

select * from final

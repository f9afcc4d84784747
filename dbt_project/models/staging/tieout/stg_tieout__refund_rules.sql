-- How credit notes of the ERP are refunded at the marketplaces.

with source as (
    select * from {{ ref('refund_rules') }}
),

final as (
    select
        nullif(trim(source.marketplace_code), '') as marketplace_code,
        nullif(trim(source.reason_code), '') as reason_code,
        lower(trim(coalesce(source.is_refund_sent, ''))) in ('true', 't', 'yes', 'y', '1', 'on') as is_refund_sent
    from source
)

select * from final

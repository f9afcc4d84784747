-- Order rules by marketplace. refuse_when has a bar before and behind each reason.

with source as (
    select * from {{ ref('order_rules') }}
),

final as (
    select
        nullif(trim(source.marketplace_code), '') as marketplace_code,
        upper(trim(source.fulfilled_by)) as fulfilled_by,
        upper(trim(source.accept_when)) as accept_when,
        '|' || upper(coalesce(trim(source.refuse_when), '')) || '|' as refuse_when,
        nullif(trim(source.location_name), '') as location_name,
        nullif(trim(source.shipping_code), '') as shipping_code,
        cast(nullif(trim(source.alert_lead_hours), '') as integer) as alert_lead_hours,
        cast(nullif(trim(source.orders_per_minute), '') as integer) as orders_per_minute,
        nullif(trim(source.cancelation_reason_code), '') as cancelation_reason_code
    from source
)

select * from final

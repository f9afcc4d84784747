-- One row per marketplace parcel and order line in it. is_sent: it has left the seller; parcels that were given up never did.

with parcels as (
    select * from {{ ref('stg_mirakl__shipments') }}
),

final as (
    select
        lines.marketplace_code,
        lines.shipment_id,
        parcels.order_id,
        lines.order_line_id,
        parcels.shipment_state,
        parcels.shipment_state in ('SHIPPED', 'TO_COLLECT', 'RECEIVED', 'CLOSED') as is_sent,
        cast(coalesce(lines.quantity, 0) as decimal(18, 4)) as quantity,
        parcels.carrier_code,
        parcels.carrier_name,
        parcels.tracking_number,
        parcels.shipped_at
    from {{ ref('stg_mirakl__shipment_lines') }} as lines
    inner join parcels
        on
            lines.marketplace_code = parcels.marketplace_code
            and lines.shipment_id = parcels.shipment_id
)

select * from final

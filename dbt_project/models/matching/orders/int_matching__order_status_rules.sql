-- One row per marketplace order state and ERP status that may stand beside it. Every other pair is incompatible.
-- WAITING_*: on hold. SHIPPING: live. SHIPPED and later: despatched, at least in part: level i tells what is missing. CANCELED, REFUSED:
-- cancelled.

with final as (
    select
        pairs.order_state,
        pairs.erp_status
    from (
        values
        ('WAITING_ACCEPTANCE', 'ON_HOLD'),
        ('WAITING_DEBIT', 'ON_HOLD'),
        ('WAITING_DEBIT_PAYMENT', 'ON_HOLD'),
        ('SHIPPING', 'LIVE'),
        ('SHIPPING', 'PART_DESPATCHED'),
        ('SHIPPED', 'PART_DESPATCHED'),
        ('SHIPPED', 'DESPATCHED'),
        ('SHIPPED', 'INVOICED'),
        ('TO_COLLECT', 'PART_DESPATCHED'),
        ('TO_COLLECT', 'DESPATCHED'),
        ('TO_COLLECT', 'INVOICED'),
        ('RECEIVED', 'PART_DESPATCHED'),
        ('RECEIVED', 'DESPATCHED'),
        ('RECEIVED', 'INVOICED'),
        ('WAITING_REFUND', 'PART_DESPATCHED'),
        ('WAITING_REFUND', 'DESPATCHED'),
        ('WAITING_REFUND', 'INVOICED'),
        ('WAITING_REFUND_PAYMENT', 'PART_DESPATCHED'),
        ('WAITING_REFUND_PAYMENT', 'DESPATCHED'),
        ('WAITING_REFUND_PAYMENT', 'INVOICED'),
        ('CLOSED', 'PART_DESPATCHED'),
        ('CLOSED', 'DESPATCHED'),
        ('CLOSED', 'INVOICED'),
        ('CANCELED', 'CANCELLED'),
        ('REFUSED', 'CANCELLED')
    ) as pairs (order_state, erp_status)
)

select * from final

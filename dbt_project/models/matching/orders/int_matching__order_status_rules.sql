-- One row per Mirakl order state and ERP status that may stand beside it. Every other pair is incompatible.
-- WAITING_*: on hold. SHIPPING: live. SHIPPED and later: despatched. CANCELED, REFUSED: cancelled.

with pairs as (
    select 'WAITING_ACCEPTANCE' as order_state, 'ON_HOLD' as erp_status
    union all select 'WAITING_DEBIT', 'ON_HOLD'
    union all select 'WAITING_DEBIT_PAYMENT', 'ON_HOLD'
    union all select 'SHIPPING', 'LIVE'
    union all select 'SHIPPING', 'PART_DESPATCHED'
    union all select 'SHIPPED', 'DESPATCHED'
    union all select 'SHIPPED', 'INVOICED'
    union all select 'TO_COLLECT', 'DESPATCHED'
    union all select 'TO_COLLECT', 'INVOICED'
    union all select 'RECEIVED', 'DESPATCHED'
    union all select 'RECEIVED', 'INVOICED'
    union all select 'WAITING_REFUND', 'DESPATCHED'
    union all select 'WAITING_REFUND', 'INVOICED'
    union all select 'WAITING_REFUND_PAYMENT', 'DESPATCHED'
    union all select 'WAITING_REFUND_PAYMENT', 'INVOICED'
    union all select 'CLOSED', 'DESPATCHED'
    union all select 'CLOSED', 'INVOICED'
    union all select 'CANCELED', 'CANCELLED'
    union all select 'REFUSED', 'CANCELLED'
),

final as (
    select
        order_state,
        erp_status
    from pairs
)

select * from final

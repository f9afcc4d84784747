-- The steps of a settlement bridge, from the balance brought forward to the one carried forward, add up to nil.
-- When red: a bucket of transaction_types.csv has no step.
select
    bridge.billing_cycle_id,
    sum(bridge.amount) as residual_amount
from {{ ref('settlement_bridge') }} as bridge
group by bridge.billing_cycle_id
having sum(bridge.amount) <> 0

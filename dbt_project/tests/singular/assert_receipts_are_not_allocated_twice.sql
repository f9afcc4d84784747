-- No receipt gives more cash than it has, in its own currency, and no pay-out is cleared by more than it is.
-- When red: two rules took the same item; the later one must leave out what the earlier ones used.
select
    'RECEIPT' as subject_type,
    receipts.receipt_id as subject_id,
    receipts.amount,
    sum(allocations.received_amount) as allocated_amount
from {{ ref('fct_receipts') }} as receipts
inner join {{ ref('fct_receipt_allocations') }} as allocations
    on receipts.receipt_id = allocations.receipt_id
group by receipts.receipt_id, receipts.amount
having sum(allocations.received_amount) > receipts.amount
union all
select
    'PAYOUT' as subject_type,
    cycles.billing_cycle_id as subject_id,
    cycles.payout_amount as amount,
    sum(allocations.cleared_amount) as allocated_amount
from {{ ref('fct_cycles') }} as cycles
inner join {{ ref('fct_receipt_allocations') }} as allocations
    on
        cycles.marketplace_code = allocations.marketplace_code
        and cycles.billing_cycle_id = allocations.billing_cycle_id
group by cycles.billing_cycle_id, cycles.payout_amount
having sum(allocations.cleared_amount) > cycles.payout_amount

-- When several pay-outs stand in one receipt, or one pay-out in several receipts, the members add up exactly: a group match with a residual
-- would be a guess. When red: the subset search of rule 030 or 040 accepted a set that does not add up.
select
    allocations.group_id,
    allocations.rule_code,
    sum(allocations.cash_amount) as cash_amount,
    sum(allocations.fee_amount) as fee_amount,
    sum(allocations.excess_amount) as excess_amount
from {{ ref('fct_receipt_allocations') }} as allocations
where allocations.rule_code in ('E030_MANY_PAYOUTS', 'E040_MANY_RECEIPTS')
group by allocations.group_id, allocations.rule_code
having sum(allocations.fee_amount) <> 0 or sum(allocations.excess_amount) <> 0

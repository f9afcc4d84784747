-- Each pay-out of a cycle that our bank must receive is once in level e, whatever became of it.
-- When red: a rule claimed it twice, or the level lost it.
select
    cycles.billing_cycle_id,
    count(results.subject_id) as row_count
from {{ ref('fct_cycles') }} as cycles
inner join {{ ref('int_ledger__marketplaces') }} as marketplaces
    on cycles.marketplace_code = marketplaces.marketplace_code
left join {{ ref('rec_receipts') }} as results
    on
        results.subject_type = 'PAYOUT'
        and cycles.marketplace_code = results.marketplace_code
        and cycles.billing_cycle_id = results.subject_id
where marketplaces.has_bank and cycles.payout_amount > 0
group by cycles.billing_cycle_id
having count(results.subject_id) <> 1

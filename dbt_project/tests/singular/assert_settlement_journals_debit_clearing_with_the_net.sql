-- The settlement of a cycle moves clearing by the net of its lines, not by the pay-out: balances brought forward are already there.
-- When red: a line of the cycle was counted twice, or left out of the journal.
select
    cycles.billing_cycle_id,
    cycles.net_amount,
    sum(lines.debit - lines.credit) as clearing_amount
from {{ ref('fct_cycles') }} as cycles
inner join {{ ref('journal_lines') }} as lines
    on
        cycles.journal_key = lines.journal_key
        and lines.account_role = 'MARKETPLACE_CLEARING'
group by cycles.billing_cycle_id, cycles.net_amount
having sum(lines.debit - lines.credit) <> cycles.net_amount

-- The settlement of a cycle moves clearing by the net of its lines, not by the pay-out: balances brought forward are already there.
-- All journals of the cycle together: of both months, of every version and what took it back. When red: a line of the cycle was
-- counted twice, or left out of the journal. A cycle in doubt keeps what was posted for it before.
select
    cycles.billing_cycle_id,
    cycles.net_amount,
    sum(lines.debit - lines.credit) as clearing_amount
from {{ ref('int_matching__cycles') }} as cycles
inner join {{ ref('journal_lines') }} as lines
    on
        cycles.marketplace_code = lines.marketplace_code
        and cycles.billing_cycle_id = lines.source_id
        and lines.account_role = 'MARKETPLACE_CLEARING'
where
    cycles.identity_code is null
    and cycles.unmapped_line_count = 0
    and cycles.changed_line_count = 0
    and cycles.currency_count <= 1
group by cycles.billing_cycle_id, cycles.net_amount
having sum(lines.debit - lines.credit) <> cycles.net_amount

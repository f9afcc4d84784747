-- Every journal that may be posted balances to the penny and has at least two lines.
-- When red: look at the role movements of the journal; a line without a role or a rounding of its own is the usual cause.
select
    lines.journal_key,
    sum(lines.debit) as total_debit,
    sum(lines.credit) as total_credit,
    count(*) as line_count
from {{ ref('journal_lines') }} as lines
where lines.status <> 'BLOCKED'
group by lines.journal_key
having sum(lines.debit) <> sum(lines.credit) or count(*) < 2

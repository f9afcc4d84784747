-- Nothing vanishes: each line of the ledger is once in the mart, with a status at level b and at level c.
-- When red: a join of the mart multiplied or lost lines.
select
    lines.marketplace_code,
    lines.transaction_line_id,
    count(marts.transaction_line_id) as row_count
from {{ ref('int_ledger__settlement_lines') }} as lines
left join {{ ref('fct_settlement_lines') }} as marts
    on
        lines.marketplace_code = marts.marketplace_code
        and lines.transaction_line_id = marts.transaction_line_id
        and marts.order_match_status is not null
        and marts.cycle_match_status is not null
group by lines.marketplace_code, lines.transaction_line_id
having count(marts.transaction_line_id) <> 1

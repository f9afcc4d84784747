-- Nothing vanishes: each line of the ledger is in the mart, with a status at level b and at level c; that none is there twice is
-- the mart's own grain. When red: a join of the mart lost lines.
select
    lines.marketplace_code,
    lines.transaction_line_id
from {{ ref('int_ledger__settlement_lines') }} as lines
left join {{ ref('fct_settlement_lines') }} as marts
    on
        lines.marketplace_code = marts.marketplace_code
        and lines.transaction_line_id = marts.transaction_line_id
        and marts.order_match_status is not null
        and marts.cycle_match_status is not null
where marts.transaction_line_id is null

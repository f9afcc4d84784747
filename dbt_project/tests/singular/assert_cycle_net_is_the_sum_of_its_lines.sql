-- A cycle's net is the sum of its lines without pay-outs and informative lines, to the penny.
-- When red: a line changed its cycle, or a type changed whether it counts.
select
    cycles.billing_cycle_id,
    cycles.net_amount,
    coalesce(line_sums.net_amount, 0) as line_amount
from {{ ref('fct_cycles') }} as cycles
left join (
    select
        lines.marketplace_code,
        lines.billing_cycle_id,
        sum(lines.amount) as net_amount
    from {{ ref('fct_settlement_lines') }} as lines
    where lines.is_in_net
    group by lines.marketplace_code, lines.billing_cycle_id
) as line_sums
    on
        cycles.marketplace_code = line_sums.marketplace_code
        and cycles.billing_cycle_id = line_sums.billing_cycle_id
where cycles.net_amount <> coalesce(line_sums.net_amount, 0)

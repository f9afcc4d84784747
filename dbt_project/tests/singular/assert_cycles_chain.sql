-- The opening balance of a cycle is the closing balance of the one before it; what a pay-out does not explain is named as a break.
-- When red: the order of cycles is not the order of their creation.
select
    chained.billing_cycle_id,
    chained.opening_amount,
    chained.previous_closing_amount
from (
    select
        cycles.billing_cycle_id,
        cycles.opening_amount,
        lag(cycles.closing_amount) over (
            partition by cycles.marketplace_code, cycles.shop_id, cycles.currency_code
            order by cycles.cycle_number
        ) as previous_closing_amount
    from {{ ref('fct_cycles') }} as cycles
) as chained
where chained.previous_closing_amount is not null and chained.opening_amount <> chained.previous_closing_amount

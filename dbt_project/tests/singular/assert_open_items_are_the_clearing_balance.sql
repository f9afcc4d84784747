-- The clearing account's balance is the sum of its open items: pay-outs in transit, balances carried forward, named differences.
-- When red: a journal moves clearing without belonging to a cycle or a receipt.
select
    rollforward.marketplace_code,
    rollforward.currency_code,
    rollforward.closing_amount,
    coalesce(items.open_amount, 0) as open_amount
from {{ ref('clearing_rollforward') }} as rollforward
inner join (
    select
        newest.marketplace_code,
        newest.currency_code,
        max(newest.period) as period
    from {{ ref('clearing_rollforward') }} as newest
    where newest.account_role = 'MARKETPLACE_CLEARING'
    group by newest.marketplace_code, newest.currency_code
) as newest_periods
    on
        rollforward.marketplace_code = newest_periods.marketplace_code
        and rollforward.currency_code = newest_periods.currency_code
        and rollforward.period = newest_periods.period
left join (
    select
        open_items.marketplace_code,
        open_items.currency_code,
        sum(open_items.open_amount) as open_amount
    from {{ ref('clearing_open_items') }} as open_items
    group by open_items.marketplace_code, open_items.currency_code
) as items
    on
        rollforward.marketplace_code = items.marketplace_code
        and rollforward.currency_code = items.currency_code
where
    rollforward.account_role = 'MARKETPLACE_CLEARING'
    and rollforward.closing_amount <> coalesce(items.open_amount, 0)

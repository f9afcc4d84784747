-- Grain: shop of a marketplace × currency. What the marketplace states that it owes, beside what its own lines add up to. A running
-- balance with gaps says how much of a difference is lines that were never delivered. Marketplace view: positive = it owes the shop.
with

shops as (

    select * from {{ ref('int_ledger__shops') }}
    where currency_code is not null

),

lines as (

    select
        lines.marketplace_code,
        lines.shop_id,
        lines.currency_code,
        sum(lines.amount) as amount,
        sum(case when lines.bucket = 'RESERVE' then -lines.amount else 0 end) as reserve_amount,
        max(lines.updated_at) as updated_at
    from {{ ref('int_matching__transaction_lines') }} as lines
    where not lines.is_informative
    group by lines.marketplace_code, lines.shop_id, lines.currency_code

),

gaps as (

    select
        gaps.marketplace_code,
        gaps.shop_id,
        gaps.currency_code,
        sum(gaps.missing_amount) as missing_amount
    from {{ ref('int_matching__balance_gaps') }} as gaps
    group by gaps.marketplace_code, gaps.shop_id, gaps.currency_code

),

incomplete_cycles as (

    select
        cycles.marketplace_code,
        cycles.shop_id,
        cycles.currency_code,
        min(cycles.billing_cycle_id) as billing_cycle_id
    from {{ ref('int_matching__cycles') }} as cycles
    where cycles.identity_code = 'PAY-009'
    group by cycles.marketplace_code, cycles.shop_id, cycles.currency_code

),

final as (

    select
        shops.marketplace_code,
        shops.entity_code,
        shops.shop_id,
        shops.currency_code,
        shops.pending_amount,
        shops.payable_amount,
        shops.reserve_amount,
        cast(coalesce(lines.amount, 0) as decimal(18, 2)) as line_amount,
        cast(coalesce(lines.reserve_amount, 0) as decimal(18, 2)) as line_reserve_amount,
        cast(coalesce(gaps.missing_amount, 0) as decimal(18, 2)) as missing_amount,
        incomplete_cycles.billing_cycle_id as incomplete_cycle_id,
        -- Lines that are newer than the statement may not be in it yet.
        coalesce(lines.updated_at > shops.stated_at, false) as is_overtaken
    from shops
    left join lines
        on
            shops.marketplace_code = lines.marketplace_code
            and shops.shop_id = lines.shop_id
            and shops.currency_code = lines.currency_code
    left join gaps
        on
            shops.marketplace_code = gaps.marketplace_code
            and shops.shop_id = gaps.shop_id
            and shops.currency_code = gaps.currency_code
    left join incomplete_cycles
        on
            shops.marketplace_code = incomplete_cycles.marketplace_code
            and shops.shop_id = incomplete_cycles.shop_id
            and shops.currency_code = incomplete_cycles.currency_code

)

select * from final

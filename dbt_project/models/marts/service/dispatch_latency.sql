-- Grain: marketplace with books in an ERP. How long the marketplace waits for the news of a despatch, over the orders confirmed in the last thirty
-- days, and the money that waits with those that left and are not confirmed. Percentiles are of the nearest rank; who was told before
-- the ERP knew waited no time.
with

orders as (

    select * from {{ ref('int_matching__dispatch_orders') }}
    where not is_excluded

),

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}
    where has_books

),

confirmed as (

    select
        orders.marketplace_code,
        greatest(0, {{ seconds_between('orders.saved_at', 'orders.shipped_at') }}) as seconds
    from orders
    where
        orders.saved_at is not null
        and orders.shipped_quantity > 0
        and orders.shipped_at > {{ add_minutes(as_of(), '-30 * 24 * 60') }}

),

ranked as (

    select
        confirmed.marketplace_code,
        confirmed.seconds,
        row_number() over (partition by confirmed.marketplace_code order by confirmed.seconds) as place,
        count(*) over (partition by confirmed.marketplace_code) as order_count
    from confirmed

),

measured as (

    select
        ranked.marketplace_code,
        count(*) as confirmed_count,
        min(case when ranked.place * 100 >= ranked.order_count * 50 then ranked.seconds end) as p50_seconds,
        min(case when ranked.place * 100 >= ranked.order_count * 95 then ranked.seconds end) as p95_seconds,
        max(ranked.seconds) as slowest_seconds,
        sum(case when ranked.seconds > 60 * marketplaces.dispatch_confirm_minutes then 1 else 0 end) as late_count
    from ranked
    inner join marketplaces
        on ranked.marketplace_code = marketplaces.marketplace_code
    group by ranked.marketplace_code

),

waiting as (

    select
        marketplace_code,
        count(*) as waiting_count,
        sum(despatched_amount - shipped_amount) as waiting_amount,
        min(saved_at) as oldest_waiting_at
    from orders
    where order_state = 'SHIPPING' and despatched_quantity > shipped_quantity
    group by marketplace_code

),

final as (

    select
        marketplaces.marketplace_code,
        marketplaces.entity_code,
        cast(coalesce(measured.confirmed_count, 0) as bigint) as confirmed_count,
        cast(measured.p50_seconds as bigint) as p50_seconds,
        cast(measured.p95_seconds as bigint) as p95_seconds,
        cast(measured.slowest_seconds as bigint) as slowest_seconds,
        cast(coalesce(measured.late_count, 0) as bigint) as late_count,
        cast(coalesce(waiting.waiting_count, 0) as bigint) as waiting_count,
        {{ money('coalesce(waiting.waiting_amount, 0)') }} as waiting_amount,
        marketplaces.currency_code,
        waiting.oldest_waiting_at
    from marketplaces
    left join measured
        on marketplaces.marketplace_code = measured.marketplace_code
    left join waiting
        on marketplaces.marketplace_code = waiting.marketplace_code

)

select * from final

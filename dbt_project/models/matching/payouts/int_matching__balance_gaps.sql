-- Grain: one gap in a shop's running balance: money that moved by lines that were never delivered.
-- Lines of one batch share a time stamp and their order inside it cannot be known, so the balance is followed from batch to
-- batch: inside a batch every balance but the last is also the start of another line.
with

lines as {{ inlined() }} (

    select * from {{ ref('int_matching__transaction_lines') }}
    where not is_informative and running_balance is not null

),

ends as (

    select
        lines.marketplace_code,
        lines.entity_code,
        lines.shop_id,
        lines.currency_code,
        lines.created_at,
        lines.running_balance as balance,
        1 as ends_minus_starts,
        lines.amount
    from lines
    union all
    select
        lines.marketplace_code,
        lines.entity_code,
        lines.shop_id,
        lines.currency_code,
        lines.created_at,
        lines.running_balance - lines.amount as balance,
        -1 as ends_minus_starts,
        cast(0 as decimal(18, 2)) as amount
    from lines

),

nodes as (

    select
        ends.marketplace_code,
        ends.entity_code,
        ends.shop_id,
        ends.currency_code,
        ends.created_at,
        ends.balance,
        sum(ends.ends_minus_starts) as ends_minus_starts,
        sum(ends.amount) as amount
    from ends
    group by
        ends.marketplace_code, ends.entity_code, ends.shop_id, ends.currency_code, ends.created_at, ends.balance

),

batches as (

    -- A batch that is whole has one loose end and one loose start (none when it moves nothing). More of them mean that a line
    -- inside the batch is missing; which end is the last one then does not matter for the total.
    select
        nodes.marketplace_code,
        nodes.entity_code,
        nodes.shop_id,
        nodes.currency_code,
        nodes.created_at,
        cast(sum(nodes.amount) as decimal(18, 2)) as moved_amount,
        sum(case when nodes.ends_minus_starts > 0 then nodes.ends_minus_starts else 0 end) as loose_end_count,
        cast(max(case when nodes.ends_minus_starts > 0 then nodes.balance end) as decimal(18, 2)) as highest_end,
        cast(min(case when nodes.ends_minus_starts > 0 then nodes.balance end) as decimal(18, 2)) as lowest_end,
        cast(max(case when nodes.ends_minus_starts < 0 then nodes.balance end) as decimal(18, 2)) as highest_start,
        cast(min(case when nodes.ends_minus_starts < 0 then nodes.balance end) as decimal(18, 2)) as lowest_start
    from nodes
    group by nodes.marketplace_code, nodes.entity_code, nodes.shop_id, nodes.currency_code, nodes.created_at

),

moving as (

    select * from batches
    where loose_end_count > 0

),

neighbours as (

    select
        moving.*,
        lag(moving.highest_end) over (
            partition by moving.marketplace_code, moving.shop_id, moving.currency_code
            order by moving.created_at
        ) as previous_highest_end,
        lag(moving.lowest_end) over (
            partition by moving.marketplace_code, moving.shop_id, moving.currency_code
            order by moving.created_at
        ) as previous_lowest_end,
        lead(moving.highest_start) over (
            partition by moving.marketplace_code, moving.shop_id, moving.currency_code
            order by moving.created_at
        ) as next_highest_start,
        lead(moving.lowest_start) over (
            partition by moving.marketplace_code, moving.shop_id, moving.currency_code
            order by moving.created_at
        ) as next_lowest_start
    from moving

),

gaps_between as (

    select
        neighbours.marketplace_code,
        neighbours.entity_code,
        neighbours.shop_id,
        neighbours.currency_code,
        neighbours.created_at as found_at,
        cast(neighbours.lowest_start - neighbours.previous_lowest_end as decimal(18, 2)) as missing_amount
    from neighbours
    where
        neighbours.loose_end_count = 1
        and neighbours.previous_lowest_end is not null
        and neighbours.previous_lowest_end = neighbours.previous_highest_end
        and neighbours.lowest_start <> neighbours.previous_lowest_end

),

gaps_inside as (

    -- The batch as a whole must lead from the balance before it to the balance after it.
    select
        neighbours.marketplace_code,
        neighbours.entity_code,
        neighbours.shop_id,
        neighbours.currency_code,
        neighbours.created_at as found_at,
        cast(
            coalesce(neighbours.next_lowest_start, neighbours.highest_end)
            - coalesce(neighbours.previous_lowest_end, neighbours.lowest_start)
            - neighbours.moved_amount as decimal(18, 2)
        ) as missing_amount
    from neighbours
    where neighbours.loose_end_count > 1

),

final as (

    select
        gaps.marketplace_code,
        gaps.entity_code,
        gaps.shop_id,
        gaps.currency_code,
        gaps.found_at,
        gaps.missing_amount
    from (
        select * from gaps_between
        union all
        select * from gaps_inside
    ) as gaps
    where gaps.missing_amount <> 0

)

select * from final

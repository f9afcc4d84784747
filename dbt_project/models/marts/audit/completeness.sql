-- Grain: marketplace × level. Whether the records behind the level's figures are proved to be all there: every feed fresh, every control
-- total balanced, no record gone or refused, no gap in balances, cycles or statements. Figures of a level that is not are not proved.
with

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}

),

feed_levels as (

    select * from {{ ref('int_ledger__feed_levels') }}

),

levels as (

    {% for level in 'abcdefghijk' -%}
    select '{{ level }}' as level_code
    {% if not loop.last -%}
    union all
    {% endif -%}
    {%- endfor %}

),

problems as (

    select
        freshness.marketplace_code,
        freshness.entity_code,
        freshness.vendor,
        freshness.feed,
        1 as stale_count,
        0 as unbalanced_count,
        0 as refused_count,
        0 as vanished_count
    from {{ ref('freshness') }} as freshness
    where freshness.is_stale
    union all
    select
        control_totals.marketplace_code,
        control_totals.entity_code,
        control_totals.vendor,
        control_totals.feed,
        0 as stale_count,
        1 as unbalanced_count,
        0 as refused_count,
        0 as vanished_count
    from {{ ref('control_totals') }} as control_totals
    where not control_totals.is_balanced
    union all
    select
        quarantine.marketplace_code,
        quarantine.entity_code,
        quarantine.vendor,
        quarantine.feed,
        0 as stale_count,
        0 as unbalanced_count,
        1 as refused_count,
        0 as vanished_count
    from {{ ref('quarantine') }} as quarantine
    union all
    select
        id_checks.marketplace_code,
        id_checks.entity_code,
        id_checks.vendor,
        id_checks.feed,
        0 as stale_count,
        0 as unbalanced_count,
        0 as refused_count,
        1 as vanished_count
    from {{ ref('id_checks') }} as id_checks
    where id_checks.exception_code is not null

),

feed_problems as (

    select
        marketplaces.marketplace_code,
        levels.level_code,
        problems.feed,
        problems.stale_count,
        problems.unbalanced_count,
        problems.refused_count,
        problems.vanished_count
    from problems
    inner join feed_levels
        on
            problems.vendor = feed_levels.vendor
            and problems.feed = feed_levels.feed
    inner join levels
        on position(levels.level_code in feed_levels.level_codes) > 0
    inner join marketplaces
        on
            problems.marketplace_code = marketplaces.marketplace_code
            or (problems.marketplace_code is null and problems.entity_code = marketplaces.entity_code)

),

chain_problems as (

    -- Balances prove what no count can: a line that the vendor never listed.
    select
        cycles.marketplace_code,
        levels.level_code,
        count(*) as gap_count
    from {{ ref('rec_cycles') }} as cycles
    inner join levels
        on levels.level_code in ('b', 'c', 'd', 'f', 'g')
    where cycles.status = 'EXCEPTION' and cycles.exception_code in ('PAY-003', 'PAY-009')
    group by cycles.marketplace_code, levels.level_code
    union all
    select
        marketplaces.marketplace_code,
        levels.level_code,
        count(*) as gap_count
    from {{ ref('int_ledger__bank_statements') }} as statements
    inner join marketplaces
        on statements.entity_code = marketplaces.entity_code
    inner join levels
        on levels.level_code in ('e', 'g')
    where statements.has_gap
    group by marketplaces.marketplace_code, levels.level_code

),

feed_sums as (

    select
        feed_problems.marketplace_code,
        feed_problems.level_code,
        sum(feed_problems.stale_count) as stale_count,
        sum(feed_problems.unbalanced_count) as unbalanced_count,
        sum(feed_problems.refused_count) as refused_count,
        sum(feed_problems.vanished_count) as vanished_count,
        min(feed_problems.feed) as first_feed
    from feed_problems
    group by feed_problems.marketplace_code, feed_problems.level_code

),

chain_sums as (

    select
        chain_problems.marketplace_code,
        chain_problems.level_code,
        sum(chain_problems.gap_count) as gap_count
    from chain_problems
    group by chain_problems.marketplace_code, chain_problems.level_code

),

counted as (

    select
        marketplaces.marketplace_code,
        marketplaces.entity_code,
        levels.level_code,
        cast(coalesce(feed_sums.stale_count, 0) as integer) as stale_feed_count,
        cast(coalesce(feed_sums.unbalanced_count, 0) as integer) as unbalanced_count,
        cast(coalesce(feed_sums.refused_count, 0) as integer) as refused_count,
        cast(coalesce(feed_sums.vanished_count, 0) as integer) as vanished_count,
        cast(coalesce(chain_sums.gap_count, 0) as integer) as gap_count,
        feed_sums.first_feed
    from marketplaces
    cross join levels
    left join feed_sums
        on
            marketplaces.marketplace_code = feed_sums.marketplace_code
            and levels.level_code = feed_sums.level_code
    left join chain_sums
        on
            marketplaces.marketplace_code = chain_sums.marketplace_code
            and levels.level_code = chain_sums.level_code

),

final as (

    select
        counted.marketplace_code,
        counted.entity_code,
        counted.level_code,
        counted.stale_feed_count + counted.unbalanced_count + counted.refused_count + counted.vanished_count
        + counted.gap_count = 0 as is_complete,
        counted.stale_feed_count,
        counted.unbalanced_count,
        counted.refused_count,
        counted.vanished_count,
        counted.gap_count,
        case
            when counted.stale_feed_count > 0
                then
                    'Not proved: ' || cast(counted.stale_feed_count as varchar) || ' feed(s) too old, '
                    || counted.first_feed || ' among them.'
            when counted.unbalanced_count + counted.vanished_count > 0
                then 'Not proved: records of ' || counted.first_feed || ' do not add up.'
            when counted.gap_count > 0
                then
                    'Not proved: ' || cast(counted.gap_count as varchar) || ' gap(s) in balances, cycles or statements.'
            when counted.refused_count > 0
                then
                    'Not proved: ' || cast(counted.refused_count as varchar) || ' record(s) of '
                    || counted.first_feed || ' were refused.'
            else 'Proved: feeds fresh, controls balanced, no gap.'
        end as summary
    from counted

)

select * from final

-- One row per key, call and window that its allowance is counted in: what was used when it was last measured, and what is left.
-- Calls that are not paced (a server on this machine) or were not made in the last day show no use. Times are the machine's, not as_of.

with budgets as (
    select * from {{ ref('stg_tieout__call_budgets') }}
),

marketplaces as (
    select * from {{ ref('int_ledger__marketplaces') }}
),

usage as (
    select * from {{ ref('stg_tieout__call_usage') }}
),

own_calls as (
    select distinct
        vendor,
        call_name,
        marketplace_code
    from budgets
    where marketplace_code <> '*'
),

-- A marketplace's own rows replace the common ones. A call without a maximum is counted by the hour.
configured as (
    select
        budgets.vendor,
        marketplaces.key_name,
        budgets.call_name,
        coalesce(budgets.maximum_seconds, 3600) as window_seconds,
        min(budgets.maximum_count) as maximum_count,
        min(budgets.recommended_count) as recommended_count,
        max(budgets.recommended_seconds) as recommended_seconds,
        min(budgets.counts) as counts,
        min(budgets.source_text) as source_text
    from budgets
    inner join marketplaces
        on
            budgets.vendor = marketplaces.vendor
            and (budgets.marketplace_code = '*' or budgets.marketplace_code = marketplaces.marketplace_code)
    left join own_calls
        on
            budgets.vendor = own_calls.vendor
            and budgets.call_name = own_calls.call_name
            and marketplaces.marketplace_code = own_calls.marketplace_code
    where budgets.marketplace_code <> '*' or own_calls.call_name is null
    group by budgets.vendor, marketplaces.key_name, budgets.call_name, coalesce(budgets.maximum_seconds, 3600)
),

final as (
    select
        configured.vendor,
        configured.key_name,
        configured.call_name,
        configured.window_seconds,
        configured.counts,
        configured.maximum_count,
        coalesce(usage.used_count, 0) as used_count,
        configured.maximum_count - coalesce(usage.used_count, 0) as head_room_count,
        configured.recommended_count,
        configured.recommended_seconds,
        usage.measured_at,
        usage.last_call_at,
        usage.next_allowed_at,
        coalesce(usage.throttled_count, 0) as throttled_count,
        configured.source_text
    from configured
    left join usage
        on
            configured.vendor = usage.vendor
            and configured.key_name = usage.key_name
            and configured.call_name = usage.call_name
            and configured.window_seconds = usage.window_seconds
)

select * from final

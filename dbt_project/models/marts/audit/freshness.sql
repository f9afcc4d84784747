-- One row per configured feed and account: its age at as_of against the limit of feeds.csv. A feed never pulled is stale once its lane has run.
-- exception_code is STK-005 for the feeds that carry stock quantities (level h reports those), DAT-001 for the others.

with feeds as (
    select * from {{ ref('int_ledger__feed_freshness') }}
),

final as (
    select
        feeds.vendor,
        feeds.account,
        feeds.entity as feed,
        feeds.marketplace_code,
        feeds.entity_code,
        feeds.freshness_hours,
        feeds.last_complete_at,
        feeds.stale_from,
        cast({{ minutes_between('feeds.last_complete_at', as_of()) }} as bigint) as age_minutes,
        feeds.newest_record_date,
        feeds.is_silent,
        feeds.is_stale,
        case
            when feeds.is_stale and feeds.is_stock_feed then 'STK-005'
            when feeds.is_stale then 'DAT-001'
        end as exception_code
    from feeds
)

select * from final

-- One row per configured feed and account that has it: when it was last pulled completely, and whether that is too long ago at as_of.
-- A feed that was never pulled is stale once its lane has run for that account, that is once another feed of the same
-- lane was pulled: a lane that is not switched on yet is no fault. Feeds that carry quantities are level h's (STK-005).

with feeds as (
    select * from {{ ref('stg_tieout__feeds') }}
),

accounts as (
    select * from {{ ref('int_ledger__accounts') }}
),

pulled as (
    select
        vendor,
        account,
        entity,
        max(finished_at) as last_complete_at
    from {{ ref('stg_tieout__batches') }}
    where is_batch_complete
    group by vendor, account, entity
),

lanes_started as (
    select distinct
        feeds.vendor,
        feeds.lane,
        pulled.account
    from feeds
    inner join pulled
        on
            feeds.vendor = pulled.vendor
            and feeds.entity = pulled.entity
),

final as (
    select
        feeds.vendor,
        accounts.account,
        accounts.entity_code,
        accounts.marketplace_code,
        feeds.entity,
        feeds.freshness_hours,
        pulled.last_complete_at,
        {{ add_minutes('pulled.last_complete_at', 'feeds.freshness_hours * 60') }} as stale_from,
        coalesce(
            {{ as_of() }} > {{ add_minutes('pulled.last_complete_at', 'feeds.freshness_hours * 60') }},
            lanes_started.lane is not null
        ) as is_stale,
        accounts.perspective <> 'OPERATOR'
        and feeds.entity in ('warehouse_holdings', 'stock', 'offers') as is_stock_feed
    from feeds
    inner join accounts
        on
            feeds.vendor = accounts.vendor
            and (feeds.perspective = 'BOTH' or feeds.perspective = accounts.perspective)
    left join pulled
        on
            feeds.vendor = pulled.vendor
            and accounts.account = pulled.account
            and feeds.entity = pulled.entity
    left join lanes_started
        on
            feeds.vendor = lanes_started.vendor
            and feeds.lane = lanes_started.lane
            and accounts.account = lanes_started.account
)

select * from final

-- One row per configured feed and account that has it: when it was last pulled completely, and whether that is too long ago at as_of.
-- A feed that was never pulled is stale once its lane has run for that account, that is once another feed of the same
-- lane was pulled: a lane that is not switched on yet is no fault. A bank that stopped writing statements is stale too, however often
-- its folder was read: newest_record_date is the last day that they tell of. Feeds that carry quantities are level h's (STK-005).

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

statements as (
    select
        bank_account_code,
        max(coalesce(to_date, from_date)) as newest_record_date
    from {{ ref('stg_bank__statements') }}
    group by bank_account_code
),

entries as (
    select
        bank_account_code,
        max(booking_date) as newest_record_date
    from {{ ref('stg_bank__statement_entries') }}
    group by bank_account_code
),

watched_accounts as (
    -- What a file without balances tells ends with its last entry.
    select
        bank_accounts.bank_account_code,
        case
            when entries.newest_record_date > statements.newest_record_date or statements.newest_record_date is null
                then entries.newest_record_date
            else statements.newest_record_date
        end as newest_record_date,
        bank_accounts.statement_days,
        {{ local_date(as_of(), 'entities.time_zone') }} as today
    from {{ ref('stg_tieout__bank_accounts') }} as bank_accounts
    inner join {{ ref('stg_tieout__entities') }} as entities
        on bank_accounts.entity_code = entities.entity_code
    left join statements
        on bank_accounts.bank_account_code = statements.bank_account_code
    left join entries
        on bank_accounts.bank_account_code = entries.bank_account_code
),

silent_accounts as (
    select
        watched_accounts.bank_account_code,
        watched_accounts.newest_record_date,
        watched_accounts.statement_days is not null
        and coalesce(
            {{ add_business_days('watched_accounts.newest_record_date', 'watched_accounts.statement_days') }}
            < watched_accounts.today,
            true
        ) as is_silent
    from watched_accounts
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
        silent_accounts.newest_record_date,
        coalesce(silent_accounts.is_silent, false) and pulled.last_complete_at is not null as is_silent,
        coalesce(
            {{ as_of() }} > {{ add_minutes('pulled.last_complete_at', 'feeds.freshness_hours * 60') }},
            lanes_started.lane is not null
        )
        or (coalesce(silent_accounts.is_silent, false) and pulled.last_complete_at is not null) as is_stale,
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
    left join silent_accounts
        on
            feeds.vendor = 'bank'
            and feeds.entity = 'statements'
            and accounts.account = silent_accounts.bank_account_code
)

select * from final

-- One row per feed, account and control. RECORDS: landed = duplicates + staged + superseded + quarantined. AMOUNT: the sum of
-- the vendor's own text = the sum in staging = the sum in the ledger. difference must be 0 on every row, on every run.

with raw_counts as (
    select * from {{ ref('stg_tieout__raw_counts') }}
),

raw_amounts as (
    select * from {{ ref('stg_tieout__raw_amounts') }}
),

ledger_amounts as (
    select * from {{ ref('int_ledger__controlled_amounts') }}
),

accounts as (
    select * from {{ ref('int_ledger__accounts') }}
),

feeds as (
    select * from {{ ref('stg_tieout__feeds') }}
),

landed as (
    select
        vendor,
        account,
        entity as feed,
        sum(record_count) as landed_count
    from {{ ref('stg_tieout__landing_files') }}
    group by vendor, account, entity
),

loaded as (
    select
        vendor,
        account,
        entity as feed,
        sum(duplicate_count) as duplicate_count,
        sum(quarantined_count) as quarantined_count
    from {{ ref('stg_tieout__loaded_files') }}
    group by vendor, account, entity
),

records as (
    select
        'RECORDS' as control_code,
        feeds.vendor,
        feeds.entity as feed,
        accounts.account,
        'records' as measure,
        accounts.marketplace_code,
        accounts.entity_code,
        cast(null as varchar) as currency_code,
        cast(coalesce(landed.landed_count, 0) as bigint) as landed_count,
        cast(coalesce(loaded.duplicate_count, 0) as bigint) as duplicate_count,
        cast(coalesce(landed.landed_count, 0) - coalesce(loaded.duplicate_count, 0) as bigint) as records_in_count,
        cast(coalesce(raw_counts.staged_count, 0) as bigint) as staged_count,
        cast(coalesce(raw_counts.raw_count - raw_counts.current_count, 0) as bigint) as superseded_count,
        cast(coalesce(loaded.quarantined_count, 0) as bigint) as quarantined_count,
        cast(null as decimal(28, 4)) as raw_amount,
        cast(null as decimal(28, 4)) as staged_amount,
        cast(null as decimal(28, 4)) as ledger_amount
    from feeds
    inner join accounts
        on
            feeds.vendor = accounts.vendor
            and (feeds.perspective = 'BOTH' or feeds.perspective = accounts.perspective)
    left join landed
        on
            feeds.vendor = landed.vendor
            and accounts.account = landed.account
            and feeds.entity = landed.feed
    left join loaded
        on
            feeds.vendor = loaded.vendor
            and accounts.account = loaded.account
            and feeds.entity = loaded.feed
    left join raw_counts
        on
            feeds.vendor = raw_counts.vendor
            and accounts.account = raw_counts.account
            and feeds.entity = raw_counts.feed
),

amounts as (
    select
        'AMOUNT' as control_code,
        raw_amounts.vendor,
        raw_amounts.feed,
        raw_amounts.account,
        raw_amounts.measure,
        accounts.marketplace_code,
        accounts.entity_code,
        accounts.currency_code,
        cast(null as bigint) as landed_count,
        cast(null as bigint) as duplicate_count,
        cast(null as bigint) as records_in_count,
        cast(null as bigint) as staged_count,
        cast(null as bigint) as superseded_count,
        cast(null as bigint) as quarantined_count,
        raw_amounts.raw_amount,
        raw_amounts.staged_amount,
        coalesce(ledger_amounts.ledger_amount, 0) as ledger_amount
    from raw_amounts
    inner join accounts
        on
            raw_amounts.vendor = accounts.vendor
            and raw_amounts.account = accounts.account
    left join ledger_amounts
        on
            raw_amounts.vendor = ledger_amounts.vendor
            and raw_amounts.account = ledger_amounts.account
            and raw_amounts.feed = ledger_amounts.feed
            and raw_amounts.measure = ledger_amounts.measure
),

unioned as (
    select * from records
    union all
    select * from amounts
),

measured as (
    select
        unioned.*,
        case
            when unioned.control_code = 'RECORDS'
                then cast(
                    unioned.records_in_count - unioned.staged_count - unioned.superseded_count
                    - unioned.quarantined_count as decimal(28, 4)
                )
            else cast(
                abs(unioned.raw_amount - unioned.staged_amount)
                + abs(unioned.staged_amount - unioned.ledger_amount) as decimal(28, 4)
            )
        end as difference
    from unioned
),

final as (
    select
        measured.control_code,
        measured.vendor,
        measured.account,
        measured.feed,
        measured.measure,
        measured.marketplace_code,
        measured.entity_code,
        measured.currency_code,
        measured.landed_count,
        measured.duplicate_count,
        measured.records_in_count,
        measured.staged_count,
        measured.superseded_count,
        measured.quarantined_count,
        measured.raw_amount,
        measured.staged_amount,
        cast(measured.ledger_amount as decimal(28, 4)) as ledger_amount,
        measured.difference,
        measured.difference = 0 as is_balanced
    from measured
)

select * from final

-- Grain: feed of an account whose evidence holds personal data for longer than the policy allows (retention.csv).
{% set today %}{{ today_in("coalesce(entities.time_zone, 'UTC')") }}{% endset -%}
with

files as (

    select * from {{ ref('stg_tieout__landing_files') }}

),

retention as (

    select * from {{ ref('stg_tieout__retention') }}

),

accounts as (

    select * from {{ ref('int_ledger__accounts') }}

),

entities as (

    select * from {{ ref('stg_tieout__entities') }}

),

final as (

    select
        accounts.marketplace_code,
        accounts.entity_code,
        files.vendor,
        files.account,
        files.entity as feed,
        retention.months,
        count(*) as file_count,
        min(files.landed_at) as oldest_landed_at
    from files
    inner join retention
        on files.vendor = retention.vendor and files.entity = retention.feed
    inner join accounts
        on files.vendor = accounts.vendor and files.account = accounts.account
    left join entities
        on accounts.entity_code = entities.entity_code
    where
        files.has_persons
        and {{ add_months('cast(files.landed_at as date)', 'retention.months') }} < {{ today }}
    group by
        accounts.marketplace_code, accounts.entity_code, files.vendor, files.account, files.entity, retention.months

)

select * from final

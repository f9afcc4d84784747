-- One row per feed, account and record on which a complete reading of a past window disagreed with what was held, as last checked,
-- and one per feed and account (record_id '*') for the newest window that was checked at all.

with checks as (
    select * from {{ ref('stg_tieout__id_checks') }}
),

accounts as (
    select * from {{ ref('int_ledger__accounts') }}
),

ranked as (
    select
        checks.*,
        row_number() over (
            partition by checks.vendor, checks.account, checks.entity, checks.record_id
            order by checks.checked_at desc, checks.window_to desc
        ) as check_rank,
        min(checks.checked_at) over (
            partition by checks.vendor, checks.account, checks.entity, checks.record_id
        ) as first_checked_at
    from checks
),

final as (
    select
        ranked.vendor,
        ranked.account,
        ranked.entity as feed,
        accounts.marketplace_code,
        accounts.entity_code,
        coalesce(ranked.record_id, '*') as record_id,
        case
            when ranked.record_id is null then 'CHECKED'
            when not ranked.is_at_vendor then 'GONE'
            when not ranked.was_here then 'FOUND_LATE'
            else 'AGREED'
        end as status,
        case when ranked.record_id is not null and not ranked.is_at_vendor then 'DAT-002' end as exception_code,
        ranked.first_checked_at,
        ranked.checked_at,
        ranked.window_from,
        ranked.window_to
    from ranked
    left join accounts
        on
            ranked.vendor = accounts.vendor
            and ranked.account = accounts.account
    where ranked.check_rank = 1
)

select * from final

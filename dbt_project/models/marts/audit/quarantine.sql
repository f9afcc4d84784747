-- One row per refused record and field: where it lies in the evidence, which field, and why. The value itself is not shown.

with refused as (
    select * from {{ ref('stg_tieout__quarantine') }}
),

accounts as (
    select * from {{ ref('int_ledger__accounts') }}
),

final as (
    select
        refused.vendor,
        refused.account,
        refused.entity as feed,
        accounts.marketplace_code,
        accounts.entity_code,
        refused.file_path,
        refused.record_position,
        refused.record_id,
        refused.field_name,
        refused.reason_code,
        refused.reason,
        -- A page that cannot be read at all has no position.
        refused.file_path || coalesce('#' || cast(refused.record_position as varchar), '') as subject_id,
        'DAT-003' as exception_code,
        refused.first_seen_at
    from refused
    left join accounts
        on
            refused.vendor = accounts.vendor
            and refused.account = accounts.account
)

select * from final

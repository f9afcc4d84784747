-- One row per action of the outbox, as it stood when this build began.

with source as (
    select * from {{ source('raw', 'outbox_actions') }}
),

final as (
    select
        source.action_key,
        source.kind,
        source.vendor,
        source.account,
        source.marketplace_code,
        source.entity_code,
        source.currency_code,
        source.natural_id,
        cast(source.version as integer) as version,
        source.wire_key,
        source.state,
        case
            when source.kind = 'JOURNAL' then substr({{ json_text('source.payload', 'posting_date') }}, 1, 7)
        end as posting_period,
        source.vendor_ids,
        source.detail,
        source.payload,
        cast(source.proposed_at as timestamp) as proposed_at,
        cast(source.decided_at as timestamp) as decided_at,
        cast(source.sent_at as timestamp) as sent_at,
        cast(source.verified_at as timestamp) as verified_at
    from source
)

select * from final

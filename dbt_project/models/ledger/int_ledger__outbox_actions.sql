-- One row per action of the outbox at the start of the build. is_ended: nothing more happens to it by itself.

with actions as (
    select * from {{ ref('stg_tieout__outbox_actions') }}
),

final as (
    select
        actions.action_key,
        actions.kind,
        actions.vendor,
        actions.account,
        actions.marketplace_code,
        actions.entity_code,
        actions.currency_code,
        actions.natural_id,
        actions.version,
        actions.wire_key,
        actions.state,
        actions.state in ('VERIFIED', 'REJECTED', 'FAILED', 'SUPERSEDED') as is_ended,
        actions.state not in ('REJECTED', 'FAILED', 'SUPERSEDED') as is_live,
        actions.posting_period,
        actions.vendor_ids,
        actions.detail,
        actions.payload,
        actions.proposed_at,
        actions.decided_at,
        actions.sent_at,
        actions.verified_at
    from actions
)

select * from final

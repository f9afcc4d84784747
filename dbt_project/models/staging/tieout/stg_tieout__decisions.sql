-- One row per decision of a person about a match or an exception, as it stood when this build began.

with source as (
    select * from {{ source('raw', 'tieout_decisions') }}
),

final as (
    select
        source.decision_key,
        cast(source.sequence as integer) as decision_number,
        source.kind,
        source.marketplace_code,
        source.entity_code,
        source.subject_type,
        source.subject_id,
        source.receipt_id,
        source.residual,
        source.exception_id,
        source.exception_code,
        {{ money('source.amount') }} as amount,
        source.currency_code,
        source.reason,
        source.state,
        source.state = 'EFFECTIVE' as is_effective,
        cast(source.proposed_at as timestamp) as proposed_at,
        cast(source.decided_at as timestamp) as decided_at
    from source
)

select * from final

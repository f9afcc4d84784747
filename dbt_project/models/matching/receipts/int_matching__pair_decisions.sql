-- Grain: receipt × pay-out about which a person's decision holds: MATCH, with what its difference is called, or UNMATCH.
with

decisions as (

    select * from {{ ref('stg_tieout__decisions') }}
    where is_effective and kind in ('MATCH', 'UNMATCH')

),

final as (

    select
        decisions.receipt_id,
        decisions.marketplace_code,
        decisions.subject_id as billing_cycle_id,
        decisions.kind as verdict,
        decisions.residual,
        decisions.decision_key
    from decisions

)

select * from final

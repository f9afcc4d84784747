-- One row per transaction type and span of days in which the mapping holds (effective_until is exclusive, null = open).

with types as (
    select * from {{ ref('stg_tieout__transaction_types') }}
),

final as (
    select
        types.transaction_type,
        types.fee_type,
        types.bucket,
        types.account_role,
        coalesce(types.settlement_led_role, types.account_role) as settlement_led_role,
        types.operator_kind,
        types.operator_role,
        types.is_tax,
        types.tax_of_type,
        types.counts_in_net,
        types.expected_sign,
        types.effective_from,
        lead(types.effective_from) over (
            partition by types.transaction_type order by types.effective_from
        ) as effective_until
    from types
)

select * from final

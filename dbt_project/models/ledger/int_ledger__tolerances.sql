-- One row per test, currency and span of days in which the tolerance holds (effective_until is exclusive, null = open).

with tolerances as (
    select * from {{ ref('stg_tieout__tolerances') }}
),

final as (
    select
        tolerances.test_code,
        tolerances.currency_code,
        {{ money('coalesce(tolerances.amount, 0)') }} as amount,
        {{ money('tolerances.amount_cap') }} as amount_cap,
        tolerances.percent,
        tolerances.effective_from,
        lead(tolerances.effective_from) over (
            partition by tolerances.test_code, tolerances.currency_code order by tolerances.effective_from
        ) as effective_until
    from tolerances
)

select * from final

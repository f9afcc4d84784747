-- One row per test, currency and span of days in which the tolerance holds (effective_until is exclusive, null = open). What is configured
-- for every currency (*) stands once as *, and once for each currency in use that has no tolerance of its own for that test.

with tolerances as (
    select * from {{ ref('stg_tieout__tolerances') }}
),

currencies as (
    select marketplaces.currency_code from {{ ref('int_ledger__marketplaces') }} as marketplaces
    union
    select marketplaces.functional_currency as currency_code from {{ ref('int_ledger__marketplaces') }} as marketplaces
),

own as (
    select distinct
        tolerances.test_code,
        tolerances.currency_code
    from tolerances
),

spread as (
    select
        tolerances.test_code,
        tolerances.currency_code,
        tolerances.amount,
        tolerances.amount_cap,
        tolerances.percent,
        tolerances.effective_from
    from tolerances
    union all
    select
        tolerances.test_code,
        currencies.currency_code,
        tolerances.amount,
        tolerances.amount_cap,
        tolerances.percent,
        tolerances.effective_from
    from tolerances
    cross join currencies
    left join own
        on
            tolerances.test_code = own.test_code
            and currencies.currency_code = own.currency_code
    where tolerances.currency_code = '*' and own.test_code is null
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
    from spread as tolerances
)

select * from final

-- Analysis codes of marketplace sales, effective-dated; first_day is the entity's first row.

with source as (
    select * from {{ ref('analysis_codes') }}
),

typed as (
    select
        nullif(trim(source.entity_code), '') as entity_code,
        nullif(trim(source.marketplace_code), '') as marketplace_code,
        nullif(trim(source.offer_state_code), '') as offer_state_code,
        upper(nullif(trim(source.ship_to_country), '')) as ship_to_country,
        nullif(trim(source.ship_to_state), '') as ship_to_state,
        upper(nullif(trim(source.tax_role), '')) as tax_role,
        nullif(trim(source.analysis_code), '') as analysis_code,
        {{ calendar_date('source.effective_from') }} as effective_from
    from source
),

final as (
    select
        typed.*,
        min(typed.effective_from) over (partition by typed.entity_code) as first_day
    from typed
)

select * from final

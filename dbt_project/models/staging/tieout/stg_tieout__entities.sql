-- Legal entities.

with source as (
    select * from {{ ref('entities') }}
),

final as (
    select
        nullif(trim(source.entity_code), '') as entity_code,
        nullif(trim(source.entity_name), '') as entity_name,
        upper(nullif(trim(source.functional_currency), '')) as functional_currency,
        nullif(trim(source.time_zone), '') as time_zone,
        upper(nullif(trim(source.country), '')) as country,
        nullif(trim(source.vat_number), '') as vat_number,
        nullif(trim(source.calendar_code), '') as calendar_code,
        cast(nullif(trim(source.vat_period_months), '') as integer) as vat_period_months,
        cast(nullif(trim(source.vat_period_end_month), '') as integer) as vat_period_end_month,
        cast(nullif(trim(source.input_vat_held_from), '') as date) as input_vat_held_from
    from source
)

select * from final

-- Approved payer names, upper case for comparing.

with source as (
    select * from {{ ref('bank_payers') }}
),

final as (
    select
        nullif(trim(source.marketplace_code), '') as marketplace_code,
        upper(nullif(trim(source.payer_name_contains), '')) as payer_name_contains,
        nullif(trim(source.approved_by), '') as approved_by,
        {{ calendar_date('source.effective_from') }} as effective_from
    from source
)

select * from final

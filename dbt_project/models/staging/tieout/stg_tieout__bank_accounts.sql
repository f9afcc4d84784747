-- Bank accounts that pay-outs arrive on.

with source as (
    select * from {{ ref('bank_accounts') }}
),

final as (
    select
        nullif(trim(source.bank_account_code), '') as bank_account_code,
        nullif(trim(source.entity_code), '') as entity_code,
        upper(nullif(trim(source.currency_code), '')) as currency_code,
        nullif(trim(source.iban), '') as iban,
        nullif(trim(source.erp_bank_code), '') as erp_bank_code,
        upper(trim(source.source)) as receipt_source,
        cast(nullif(trim(source.statement_days), '') as integer) as statement_days,
        lower(trim(coalesce(source.is_enabled, ''))) in ('true', 't', 'yes', 'y', '1', 'on') as is_enabled
    from source
)

select * from final

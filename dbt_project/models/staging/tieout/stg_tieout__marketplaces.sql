-- Enabled and disabled marketplaces with typed settings; the ledger reads enabled ones only.

with source as (
    select * from {{ ref('marketplaces') }}
),

final as (
    select
        nullif(trim(source.marketplace_code), '') as marketplace_code,
        nullif(trim(source.marketplace_name), '') as marketplace_name,
        upper(nullif(trim(source.perspective), '')) as perspective,
        coalesce(nullif(trim(source.key_name), ''), nullif(trim(source.marketplace_code), '')) as key_name,
        nullif(trim(source.shop_id), '') as shop_id,
        nullif(trim(source.entity_code), '') as entity_code,
        nullif(trim(source.erp_code), '') as erp_code,
        upper(nullif(trim(source.currency_code), '')) as currency_code,
        upper(nullif(trim(source.order_tax_mode), '')) as order_tax_mode,
        upper(nullif(trim(source.posting_model), '')) as posting_model,
        upper(nullif(trim(source.funds_model), '')) as funds_model,
        cast(nullif(trim(source.acceptance_hours), '') as integer) as acceptance_hours,
        cast(nullif(trim(source.order_import_minutes), '') as integer) as order_import_minutes,
        cast(nullif(trim(source.dispatch_confirm_minutes), '') as integer) as dispatch_confirm_minutes,
        cast(nullif(trim(source.dispatch_risk_hours), '') as integer) as dispatch_risk_hours,
        cast(nullif(trim(source.auto_receive_days), '') as integer) as auto_receive_days,
        cast(nullif(trim(source.settlement_grace_days), '') as integer) as settlement_grace_days,
        cast(nullif(trim(source.approval_days), '') as integer) as approval_days,
        nullif(trim(source.cycle_days), '') as cycle_days,
        cast(nullif(trim(source.reserve_days), '') as integer) as reserve_days,
        {{ calendar_date('source.go_live_date') }} as go_live_date,
        {{ calendar_date('source.journals_live_from') }} as journals_live_from,
        nullif(trim(source.customer_reference), '') as customer_reference,
        nullif(trim(source.clearing_bank_code), '') as clearing_bank_code,
        nullif(trim(source.bank_account_code), '') as bank_account_code,
        nullif(trim(source.operator_name), '') as operator_name,
        upper(nullif(trim(source.operator_country), '')) as operator_country,
        lower(trim(coalesce(source.is_enabled, ''))) in ('true', 't', 'yes', 'y', '1', 'on') as is_enabled
    from source
)

select * from final

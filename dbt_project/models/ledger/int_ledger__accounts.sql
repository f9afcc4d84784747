-- One row per enabled account of a vendor: marketplace, ERP company or bank account. marketplace_code only where the account
-- is one; a bank account only where its statements are read. perspective: SELLER or OPERATOR of a marketplace, BOTH of the others.

with marketplaces as (
    select
        'mirakl' as vendor,
        marketplace_code as account,
        entity_code,
        marketplace_code,
        perspective,
        currency_code
    from {{ ref('int_ledger__marketplaces') }}
),

erps as (
    select
        erps.vendor,
        erps.erp_code as account,
        erps.entity_code,
        cast(null as varchar) as marketplace_code,
        'BOTH' as perspective,
        entities.functional_currency as currency_code
    from {{ ref('stg_tieout__erps') }} as erps
    inner join {{ ref('stg_tieout__entities') }} as entities
        on erps.entity_code = entities.entity_code
    where erps.is_enabled
),

bank_accounts as (
    select
        'bank' as vendor,
        bank_account_code as account,
        entity_code,
        cast(null as varchar) as marketplace_code,
        'BOTH' as perspective,
        currency_code
    from {{ ref('stg_tieout__bank_accounts') }}
    where is_enabled and receipt_source = 'STATEMENT'
),

final as (
    select * from marketplaces
    union all
    select * from erps
    union all
    select * from bank_accounts
)

select * from final

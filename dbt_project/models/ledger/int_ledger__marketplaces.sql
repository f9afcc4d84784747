-- One row per enabled marketplace with the settings of its entity: what every dated or zoned rule needs.
-- has_books: its orders, journals and stock stand in an ERP as a seller's do. has_bank: its pay-outs arrive on a bank account
-- of ours. An operator pays its sellers, so neither holds for it. has_parcels: orders travel in several shipments of their own.

with marketplaces as (
    select * from {{ ref('stg_tieout__marketplaces') }}
),

entities as (
    select * from {{ ref('stg_tieout__entities') }}
),

platforms as (
    select * from {{ ref('stg_mirakl__platforms') }}
),

final as (
    select
        marketplaces.marketplace_code,
        marketplaces.marketplace_name,
        -- One vendor runs every marketplace so far; a second one makes this a column of marketplaces.csv.
        'mirakl' as vendor,
        marketplaces.perspective,
        marketplaces.shop_id,
        marketplaces.key_name,
        marketplaces.entity_code,
        marketplaces.erp_code,
        marketplaces.currency_code,
        entities.functional_currency,
        entities.time_zone,
        marketplaces.order_tax_mode,
        marketplaces.posting_model,
        marketplaces.funds_model,
        marketplaces.acceptance_hours,
        marketplaces.order_import_minutes,
        marketplaces.dispatch_confirm_minutes,
        marketplaces.dispatch_risk_hours,
        marketplaces.auto_receive_days,
        marketplaces.settlement_grace_days,
        marketplaces.approval_days,
        marketplaces.cycle_days,
        marketplaces.reserve_days,
        marketplaces.go_live_date,
        coalesce(marketplaces.journals_live_from, marketplaces.go_live_date) as journals_live_from,
        marketplaces.customer_reference,
        marketplaces.clearing_bank_code,
        marketplaces.bank_account_code,
        marketplaces.operator_name,
        marketplaces.operator_country,
        marketplaces.perspective = 'SELLER' and marketplaces.erp_code is not null as has_books,
        marketplaces.perspective = 'SELLER' and marketplaces.bank_account_code is not null as has_bank,
        coalesce(platforms.is_multi_shipment, false) as has_parcels,
        coalesce(platforms.is_free_carrier_allowed, true) as is_free_carrier_allowed,
        {{ today_in('entities.time_zone') }} as as_of_date
    from marketplaces
    inner join entities
        on marketplaces.entity_code = entities.entity_code
    left join platforms
        on marketplaces.marketplace_code = platforms.marketplace_code
    where marketplaces.is_enabled
)

select * from final

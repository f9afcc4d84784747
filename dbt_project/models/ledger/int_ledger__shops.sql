-- One row per marketplace and shop: our own as a seller, all of them as the operator, with the balances that the marketplace
-- states. Those are a cross-check, not a ledger.

with own_shops as (
    select
        marketplace_code,
        shop_id,
        shop_name,
        cast(null as varchar) as corporate_name,
        cast(null as varchar) as tax_number,
        shop_state,
        shop_model,
        cast(null as varchar) as kyc_state,
        cast(null as boolean) as is_payment_blocked,
        currency_code,
        paid_balance,
        payable_balance,
        pending_balance,
        reserve_balance,
        fetched_at
    from {{ ref('stg_mirakl__accounts') }}
),

operated_shops as (
    select
        marketplace_code,
        shop_id,
        shop_name,
        corporate_name,
        tax_number,
        shop_state,
        shop_model,
        kyc_state,
        is_payment_blocked,
        currency_code,
        paid_balance,
        payable_balance,
        pending_balance,
        reserve_balance,
        fetched_at
    from {{ ref('stg_mirakl__shops') }}
),

shops as (
    select * from own_shops
    union all
    select * from operated_shops
),

final as (
    select
        shops.marketplace_code,
        marketplaces.entity_code,
        shops.shop_id,
        shops.shop_name,
        -- Ours are the entity's, whatever the marketplace has on file.
        case when marketplaces.perspective = 'OPERATOR' then shops.corporate_name else entities.entity_name end
            as legal_name,
        case when marketplaces.perspective = 'OPERATOR' then shops.tax_number else entities.vat_number end
            as tax_number,
        shops.shop_state,
        shops.shop_model,
        shops.kyc_state,
        shops.is_payment_blocked,
        shops.currency_code,
        {{ money('shops.paid_balance') }} as paid_amount,
        {{ money('shops.payable_balance') }} as payable_amount,
        {{ money('shops.pending_balance') }} as pending_amount,
        {{ money('shops.reserve_balance') }} as reserve_amount,
        shops.fetched_at as stated_at
    from shops
    inner join {{ ref('int_ledger__marketplaces') }} as marketplaces
        on shops.marketplace_code = marketplaces.marketplace_code
    inner join {{ ref('stg_tieout__entities') }} as entities
        on marketplaces.entity_code = entities.entity_code
)

select * from final

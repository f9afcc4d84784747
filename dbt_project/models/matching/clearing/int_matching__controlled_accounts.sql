-- Grain: ERP account that only the pipeline's journals move: clearing, reserve, pass-through. An account shared by several
-- marketplaces is listed with the first of them; customer and VAT accounts have other traffic by nature and are not here.
with

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}

),

accounts as (

    select * from {{ ref('stg_tieout__accounts') }}
    where account_role in ('MARKETPLACE_CLEARING', 'MARKETPLACE_RESERVE', 'MARKETPLACE_TAX_PASSTHROUGH')

),

ranked as (

    select
        marketplaces.marketplace_code,
        marketplaces.entity_code,
        marketplaces.erp_code,
        marketplaces.currency_code,
        marketplaces.go_live_date,
        {{ period_of('marketplaces.go_live_date') }} as go_live_period,
        accounts.account_role,
        accounts.account_code,
        accounts.cost_centre,
        accounts.department,
        row_number() over (
            partition by marketplaces.erp_code, accounts.account_code, accounts.cost_centre, accounts.department
            order by
                case when accounts.marketplace_code = '*' then 1 else 0 end asc,
                marketplaces.marketplace_code asc,
                accounts.effective_from desc
        ) as choice_number
    from marketplaces
    inner join accounts
        on
            marketplaces.entity_code = accounts.entity_code
            and (marketplaces.marketplace_code = accounts.marketplace_code or accounts.marketplace_code = '*')
            and (marketplaces.currency_code = accounts.currency_code or accounts.currency_code = '*')

),

final as (

    select
        ranked.marketplace_code,
        ranked.entity_code,
        ranked.erp_code,
        ranked.currency_code,
        ranked.go_live_date,
        ranked.go_live_period,
        ranked.account_role,
        ranked.account_code,
        ranked.cost_centre,
        ranked.department
    from ranked
    where ranked.choice_number = 1

)

select * from final

-- One row per marketplace with books in an ERP and carrier of that ERP: its code at the marketplace, by the row of carriers.csv that is
-- the marketplace's own, else by the common one. is_listed: the marketplace knows the code.
{{ config(materialized='view') }}

with ranked as (
    select
        marketplaces.marketplace_code,
        carriers.erp_carrier,
        carriers.carrier_code,
        carriers.is_tracked,
        carriers.tracking_url,
        row_number() over (
            partition by marketplaces.marketplace_code, carriers.erp_carrier
            order by case when carriers.marketplace_code = '*' then 1 else 0 end
        ) as choice
    from {{ ref('stg_tieout__carriers') }} as carriers
    inner join {{ ref('int_ledger__marketplaces') }} as marketplaces
        on
            carriers.erp_code = marketplaces.erp_code
            and carriers.marketplace_code in ('*', marketplaces.marketplace_code)
    where marketplaces.has_books
),

final as (
    select
        ranked.marketplace_code,
        ranked.erp_carrier,
        ranked.carrier_code,
        ranked.is_tracked,
        ranked.tracking_url,
        ranked.carrier_code is null or listed.carrier_code is not null as is_listed
    from ranked
    left join {{ ref('stg_mirakl__carriers') }} as listed
        on
            ranked.marketplace_code = listed.marketplace_code
            and ranked.carrier_code = listed.carrier_code
    where ranked.choice = 1
)

select * from final

-- Grain: marketplace × month × line of the waterfall. From the month of the posting to the month of the sale: what PERIOD shows, less
-- what was posted in the month for sales of other months, plus what was posted in other months for the month's own sales, is what
-- COHORT shows. Income positive, cost negative, in the entity's currency. A seller's marketplaces.
with

facts as (

    select
        facts.entity_code,
        facts.marketplace_code,
        facts.period,
        facts.cohort_period,
        profit_lines.profit_line,
        facts.amount
    from {{ ref('int_accounting__profit_facts') }} as facts
    inner join {{ ref('stg_tieout__profit_lines') }} as profit_lines
        on facts.account_role = profit_lines.account_role
    where facts.scope = 'CHANNEL'

),

sides as (

    select
        entity_code,
        marketplace_code,
        period,
        profit_line,
        amount as period_amount,
        case when cohort_period <> period then -amount else 0 end as other_sales_amount,
        0 as posted_elsewhere_amount
    from facts
    union all
    select
        entity_code,
        marketplace_code,
        cohort_period as period,
        profit_line,
        0 as period_amount,
        0 as other_sales_amount,
        amount as posted_elsewhere_amount
    from facts
    where cohort_period <> period

),

final as (

    select
        sides.marketplace_code,
        sides.entity_code,
        sides.period,
        sides.profit_line,
        min(marketplaces.functional_currency) as currency_code,
        cast(sum(sides.period_amount) as decimal(18, 2)) as period_amount,
        cast(sum(sides.other_sales_amount) as decimal(18, 2)) as other_sales_amount,
        cast(sum(sides.posted_elsewhere_amount) as decimal(18, 2)) as posted_elsewhere_amount,
        cast(
            sum(sides.period_amount + sides.other_sales_amount + sides.posted_elsewhere_amount) as decimal(18, 2)
        ) as cohort_amount
    from sides
    inner join {{ ref('int_ledger__marketplaces') }} as marketplaces
        on sides.marketplace_code = marketplaces.marketplace_code
    group by sides.marketplace_code, sides.entity_code, sides.period, sides.profit_line

)

select * from final

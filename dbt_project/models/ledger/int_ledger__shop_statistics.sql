-- One row per shop, figure and period that the marketplace publishes about a shop of ours: what its operator judges it by. Rates are
-- fractions, whatever the platform writes: one above 1 is per cent.

with statistics as (
    select * from {{ ref('stg_mirakl__account_statistics') }}
),

figures as (
    select * from {{ ref('stg_mirakl__account_statistic_values') }}
),

final as (
    select
        figures.marketplace_code,
        figures.shop_id,
        figures.statistic_name,
        figures.statistic_period as period_code,
        max(statistics.updated_at) as taken_at,
        cast(max(case
            when figures.statistic_name like '%_rate' and figures.statistic_value > 1
                then figures.statistic_value * 0.01
            else figures.statistic_value
        end) as decimal(18, 4)) as statistic_value
    from figures
    inner join statistics
        on
            figures.marketplace_code = statistics.marketplace_code
            and figures.shop_id = statistics.shop_id
    where statistics.channel_code is null
    group by figures.marketplace_code, figures.shop_id, figures.statistic_name, figures.statistic_period
)

select * from final

-- One row per marketplace, item and currency: the price of a stock unit by the price list in force, in the marketplace's tax
-- mode. Of several lists in force the one of the highest priority counts, then the newest. changed_at: when this price began to
-- hold, as far as the ERP and the configuration tell; until the push's time has passed since, an offer may still show another.

with marketplaces as (
    select * from {{ ref('int_ledger__marketplaces') }}
),

candidates as (
    select
        marketplaces.marketplace_code,
        marketplaces.order_tax_mode,
        prices.erp_code,
        prices.item_code,
        prices.currency_code,
        prices.price_amount,
        prices.updated_at,
        lists.price_list,
        lists.priority,
        lists.tax_basis,
        lists.effective_from,
        {{ utc_from_local('cast(lists.effective_from as timestamp)', 'marketplaces.time_zone') }} as listed_from,
        case
            when lists.effective_until <= marketplaces.as_of_date
                then {{ utc_from_local('cast(lists.effective_until as timestamp)', 'marketplaces.time_zone') }}
            when prices.valid_until <= {{ as_of() }} then prices.valid_until
        end as ended_at,
        prices.valid_from,
        lists.effective_from <= marketplaces.as_of_date and coalesce(prices.valid_from <= {{ as_of() }}, true)
            as has_begun
    from {{ ref('stg_tieout__price_lists') }} as lists
    inner join marketplaces
        on lists.marketplace_code = marketplaces.marketplace_code
    inner join {{ ref('int_ledger__prices') }} as prices
        on
            marketplaces.erp_code = prices.erp_code
            and lists.price_list = prices.price_list
    where marketplaces.has_books
),

ended as (
    select
        candidates.marketplace_code,
        candidates.item_code,
        candidates.currency_code,
        max(candidates.ended_at) as ended_at
    from candidates
    where candidates.ended_at is not null
    group by candidates.marketplace_code, candidates.item_code, candidates.currency_code
),

in_force as (
    select
        candidates.*,
        row_number() over (
            partition by candidates.marketplace_code, candidates.item_code, candidates.currency_code
            order by candidates.priority desc, candidates.effective_from desc, candidates.price_list asc
        ) as list_rank
    from candidates
    where candidates.has_begun and candidates.ended_at is null
),

final as (
    select
        in_force.marketplace_code,
        in_force.item_code,
        in_force.currency_code,
        in_force.price_list,
        items.tax_rate_percent,
        cast(
            case
                when in_force.order_tax_mode = 'TAX_EXCLUDED' and in_force.tax_basis = 'GROSS'
                    then
                        in_force.price_amount
                        - {{ tax_in_gross('in_force.price_amount', 'coalesce(items.tax_rate_percent, 0)') }}
                when in_force.order_tax_mode <> 'TAX_EXCLUDED' and in_force.tax_basis = 'NET'
                    then
                        in_force.price_amount
                        + {{ tax_on_net('in_force.price_amount', 'coalesce(items.tax_rate_percent, 0)') }}
                else in_force.price_amount
            end as decimal(18, 4)
        ) as price_amount,
        greatest(
            in_force.listed_from,
            coalesce(in_force.valid_from, in_force.listed_from),
            coalesce(in_force.updated_at, in_force.listed_from),
            coalesce(ended.ended_at, in_force.listed_from)
        ) as changed_at
    from in_force
    inner join {{ ref('int_ledger__items') }} as items
        on
            in_force.erp_code = items.erp_code
            and in_force.item_code = items.item_code
    left join ended
        on
            in_force.marketplace_code = ended.marketplace_code
            and in_force.item_code = ended.item_code
            and in_force.currency_code = ended.currency_code
    where in_force.list_rank = 1
)

select * from final

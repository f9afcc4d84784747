-- One row per ERP company, item code, price list and currency: the price of one stock unit, as the list has it (with or without
-- VAT is the configuration's to say). valid_from and valid_until are the list's own, where the ERP dates lists; updated_at is
-- when the price last changed, or the item where the ERP stamps only that.

with
{% if uses('sage200') -%}
sage200 as (
    select
        prices.erp_code,
        products.item_code,
        bands.price_list,
        currencies.currency_code,
        case when prices.is_standard_price then standard.price_amount else prices.price_amount end as price_amount,
        bands.valid_from,
        bands.valid_until,
        case when prices.is_standard_price then standard.updated_at else prices.updated_at end as updated_at
    from {{ ref('stg_sage200__product_prices') }} as prices
    inner join {{ ref('stg_sage200__products') }} as products
        on
            prices.erp_code = products.erp_code
            and prices.product_id = products.product_id
    inner join {{ ref('stg_sage200__price_bands') }} as bands
        on
            prices.erp_code = bands.erp_code
            and prices.price_band_id = bands.price_band_id
    inner join {{ ref('stg_sage200__currencies') }} as currencies
        on
            prices.erp_code = currencies.erp_code
            and prices.currency_id = currencies.currency_id
    left join {{ ref('stg_sage200__price_bands') }} as standard_bands
        on
            prices.erp_code = standard_bands.erp_code
            and standard_bands.is_standard
    left join {{ ref('stg_sage200__product_prices') }} as standard
        on
            prices.erp_code = standard.erp_code
            and prices.product_id = standard.product_id
            and standard_bands.price_band_id = standard.price_band_id
    where bands.is_active
),

{% endif -%}
{% if uses('netsuite') -%}
netsuite as (
    select
        prices.erp_code,
        items.item_code,
        prices.price_list,
        currencies.currency_code,
        prices.price_amount,
        cast(null as timestamp) as valid_from,
        cast(null as timestamp) as valid_until,
        items.updated_at
    from {{ ref('stg_netsuite__prices') }} as prices
    inner join {{ ref('stg_netsuite__items') }} as items
        on
            prices.erp_code = items.erp_code
            and prices.item_id = items.item_id
    inner join {{ ref('stg_netsuite__currencies') }} as currencies
        on
            prices.erp_code = currencies.erp_code
            and prices.currency_id = currencies.currency_id
    where
        not items.is_deleted
        and not items.is_inactive
        and not prices.is_inactive
),

{% endif -%}
unioned as (
    {{ union_of_vendors(['sage200', 'netsuite']) }}
),

-- Several items of one code (OFR-002) may have several prices: the newest stands for them.
ranked as (
    select
        unioned.*,
        row_number() over (
            partition by unioned.erp_code, unioned.item_code, unioned.price_list, unioned.currency_code
            order by unioned.updated_at desc, unioned.price_amount desc
        ) as price_rank
    from unioned
    where unioned.price_amount is not null
),

final as (
    select
        ranked.erp_code,
        ranked.item_code,
        ranked.price_list,
        ranked.currency_code,
        cast(ranked.price_amount as decimal(18, 4)) as price_amount,
        ranked.valid_from,
        ranked.valid_until,
        ranked.updated_at
    from ranked
    where ranked.price_rank = 1
)

select * from final

-- One row per order: who accounts for the tax of the sale, and by which code the books declare it. Lines of the operator that remit the
-- tax decide; else the row of tax_regimes.csv for where the goods go and what the whole consignment is worth (goods of all orders of
-- one commercial id, before tax). sale_tax_role is empty where the item decides; is_decided is false where nobody has said. tax_sign:
-- what makes the order's amounts the books' gross ones: its tax added (1), taken out (-1) or left alone (0).

with orders as (
    select * from {{ ref('int_ledger__orders') }}
),

marketplaces as (
    select * from {{ ref('int_ledger__marketplaces') }}
),

regimes as (
    select * from {{ ref('stg_tieout__tax_regimes') }}
),

tax_codes as (
    select * from {{ ref('stg_tieout__tax_codes') }}
),

sold as (
    select
        marketplace_code,
        order_id,
        {{ money('sum(price_amount - cancelled_amount)') }} as goods_amount,
        {{ money('sum(tax_amount - cancelled_tax_amount)') }} as tax_amount,
        {{ money(
            'sum(tax_amount - cancelled_tax_amount + shipping_tax_amount - cancelled_shipping_tax_amount)'
        ) }} as charged_tax_amount
    from {{ ref('int_ledger__order_lines') }}
    group by marketplace_code, order_id
),

settled as (
    select
        marketplace_code,
        order_id,
        {{ money("sum(case when bucket = 'SALE' then amount else 0 end)") }} as settled_tax_amount,
        {{ money("-sum(case when bucket = 'PASSTHROUGH' then amount else 0 end)") }} as remitted_tax_amount
    from {{ ref('int_ledger__settlement_lines') }}
    where
        transaction_type in (
            'ORDER_AMOUNT_TAX',
            'ORDER_SHIPPING_AMOUNT_TAX',
            'OPERATOR_REMITTED_ORDER_AMOUNT_TAX',
            'OPERATOR_REMITTED_ORDER_SHIPPING_AMOUNT_TAX'
        )
        and counts_in_net
        and order_id is not null
    group by marketplace_code, order_id
),

valued as (
    select
        orders.marketplace_code,
        orders.entity_code,
        orders.order_id,
        orders.order_state,
        orders.order_date,
        orders.currency_code,
        orders.is_excluded,
        orders.ship_to_country,
        orders.tax_mode,
        {{ money(
            "coalesce(sold.goods_amount - case when orders.tax_mode = 'TAX_INCLUDED' then sold.tax_amount else 0 end, 0)"
        ) }}
            as goods_amount,
        coalesce(sold.charged_tax_amount, 0) as charged_tax_amount,
        settled.order_id is not null as has_tax_lines,
        coalesce(settled.settled_tax_amount, 0) as settled_tax_amount,
        coalesce(settled.remitted_tax_amount, 0) as remitted_tax_amount,
        coalesce(orders.commercial_id, orders.order_id) as consignment_id
    from orders
    inner join marketplaces
        on
            orders.marketplace_code = marketplaces.marketplace_code
            and marketplaces.has_books
    left join sold
        on
            orders.marketplace_code = sold.marketplace_code
            and orders.order_id = sold.order_id
    left join settled
        on
            orders.marketplace_code = settled.marketplace_code
            and orders.order_id = settled.order_id
),

consigned as (
    select
        valued.*,
        {{ money('sum(valued.goods_amount) over (partition by valued.marketplace_code, valued.consignment_id)') }}
            as consignment_amount
    from valued
),

regime_choices as (
    select
        consigned.marketplace_code,
        consigned.order_id,
        regimes.accountable,
        regimes.tax_role,
        regimes.consignment_limit,
        row_number() over (
            partition by consigned.marketplace_code, consigned.order_id
            order by
                case when regimes.marketplace_code = '*' then 1 else 0 end,
                regimes.effective_from desc,
                coalesce(regimes.consignment_limit, 9999999999)
        ) as choice_number
    from consigned
    inner join regimes
        on
            consigned.ship_to_country = regimes.ship_to_country
            and (consigned.marketplace_code = regimes.marketplace_code or regimes.marketplace_code = '*')
            and consigned.order_date >= regimes.effective_from
            and (regimes.consignment_limit is null or consigned.consignment_amount <= regimes.consignment_limit)
),

decided as (
    select
        consigned.*,
        regime_choices.accountable,
        regime_choices.consignment_limit,
        case
            when consigned.remitted_tax_amount > 0 then 'MKT_COLLECTED'
            when regime_choices.tax_role <> 'ITEM' then regime_choices.tax_role
        end as sale_tax_role,
        -- An order that does not say where it goes yet is taken for an ordinary one.
        consigned.ship_to_country is null or regime_choices.order_id is not null as is_decided
    from consigned
    left join regime_choices
        on
            consigned.marketplace_code = regime_choices.marketplace_code
            and consigned.order_id = regime_choices.order_id
            and regime_choices.choice_number = 1
),

coded as (
    select
        decided.*,
        tax_codes.erp_tax_code as sale_tax_code,
        tax_codes.rate_percent as sale_tax_rate_percent,
        row_number() over (
            partition by decided.marketplace_code, decided.order_id order by tax_codes.effective_from desc
        ) as code_number
    from decided
    left join tax_codes
        on
            decided.entity_code = tax_codes.entity_code
            and decided.sale_tax_role = tax_codes.tax_role
            and decided.order_date >= tax_codes.effective_from
),

final as (
    select
        coded.marketplace_code,
        coded.entity_code,
        coded.order_id,
        coded.order_state,
        coded.order_date,
        coded.currency_code,
        coded.is_excluded,
        coded.ship_to_country,
        coded.goods_amount,
        coded.consignment_amount,
        coded.consignment_limit,
        coded.charged_tax_amount,
        coded.has_tax_lines,
        coded.settled_tax_amount,
        coded.remitted_tax_amount,
        coded.accountable,
        coded.is_decided,
        coded.sale_tax_role,
        coded.sale_tax_code,
        coded.sale_tax_rate_percent,
        coalesce(coded.sale_tax_role, '') = 'MKT_COLLECTED' as is_collected,
        -- Tax that the operator owes is no part of what the books sell, also where it was handed to the seller by mistake.
        case
            when coalesce(coded.sale_tax_role, '') = 'MKT_COLLECTED' and coded.tax_mode = 'TAX_INCLUDED' then -1
            when coalesce(coded.sale_tax_role, '') <> 'MKT_COLLECTED' and coded.tax_mode = 'TAX_EXCLUDED' then 1
            else 0
        end as tax_sign
    from coded
    where coded.code_number = 1
)

select * from final

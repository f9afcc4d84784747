-- Grain: basis × marketplace × month × item × shop. What each item earned on each marketplace after everything the channel cost,
-- without VAT, in the entity's currency. Income is positive and cost negative, so every total is the sum of the columns before it.
-- PERIOD: the month of the posting; ties to the ledger (profitability_tie_out). COHORT: refunds and fees in the month of the sale
-- (profitability_bridge). An empty item_code: what no item is named for and nothing shares out. An operator has one row per seller.
{% set lines = {
    'GROSS_SALES': 'gross_sales', 'SHIPPING': 'shipping', 'REFUNDS': 'refund', 'COGS': 'cogs', 'COMMISSION': 'commission',
    'ORDER_FEES': 'order_fee', 'CARRIAGE': 'carriage', 'ADVERTISING': 'advertising', 'SUBSCRIPTION': 'subscription',
    'ADJUSTMENTS': 'adjustment', 'BANK_AND_EXCHANGE': 'bank_exchange',
} -%}
{% set names = lines.values() | list -%}
{% set totals = {
    'net_sales': names[:3], 'product_margin': names[:4], 'contribution_1': names[:7], 'contribution_2': names,
} -%}
with

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}

),

facts as (

    select
        facts.*,
        profit_lines.profit_line,
        profit_lines.allocation
    from {{ ref('int_accounting__profit_facts') }} as facts
    inner join {{ ref('stg_tieout__profit_lines') }} as profit_lines
        on facts.account_role = profit_lines.account_role
    where facts.scope = 'CHANNEL'

),

based as (

    {% for basis, month in [('PERIOD', 'period'), ('COHORT', 'cohort_period')] -%}
    select
        '{{ basis }}' as basis,
        entity_code,
        marketplace_code,
        {{ month }} as period,
        item_code,
        profit_line,
        allocation,
        cast(sum(amount) as decimal(18, 2)) as amount
    from facts
    group by entity_code, marketplace_code, {{ month }}, item_code, profit_line, allocation
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

net_sales as (

    select
        basis,
        marketplace_code,
        period,
        item_code,
        cast(sum(amount) as decimal(18, 2)) as weight
    from based
    where item_code <> '' and profit_line in ('GROSS_SALES', 'SHIPPING', 'REFUNDS')
    group by basis, marketplace_code, period, item_code
    having sum(amount) > 0

),

selling_months as (

    select distinct
        basis,
        marketplace_code,
        period
    from net_sales

),

to_share as (

    select
        based.basis,
        based.entity_code,
        based.marketplace_code,
        based.period,
        based.profit_line,
        based.amount,
        net_sales.item_code,
        net_sales.weight
    from (
        select
            basis,
            entity_code,
            marketplace_code,
            period,
            profit_line,
            cast(sum(amount) as decimal(18, 2)) as amount
        from based
        where item_code = '' and allocation = 'NET_SALES'
        group by basis, entity_code, marketplace_code, period, profit_line
    ) as based
    inner join net_sales
        on
            based.basis = net_sales.basis
            and based.marketplace_code = net_sales.marketplace_code
            and based.period = net_sales.period
    where based.amount <> 0

),

shared_out as (

    {{ largest_remainder(
        'to_share', ['basis', 'marketplace_code', 'period', 'profit_line'], 'amount', 'weight', ['item_code']
    ) | indent(4) }}

),

brought_home as (

    select
        based.basis,
        based.entity_code,
        based.marketplace_code,
        based.period,
        based.item_code,
        based.profit_line,
        based.amount,
        cast(0 as decimal(18, 2)) as shared_amount
    from based
    left join selling_months
        on
            based.basis = selling_months.basis
            and based.marketplace_code = selling_months.marketplace_code
            and based.period = selling_months.period
    -- A month without sales has nothing to share by: its costs stay with the marketplace.
    where based.item_code <> '' or based.allocation <> 'NET_SALES' or selling_months.period is null
    union all
    select
        basis,
        entity_code,
        marketplace_code,
        period,
        item_code,
        profit_line,
        allocated_amount as amount,
        allocated_amount as shared_amount
    from shared_out

),

seller_rows as (

    select
        basis,
        entity_code,
        marketplace_code,
        period,
        item_code,
        '' as shop_id,
        {% for line, name in lines.items() -%}
        sum(case when profit_line = '{{ line }}' then amount else 0 end) as {{ name }}_amount,
        {% endfor -%}
        sum(shared_amount) as shared_amount,
        cast(0 as decimal(18, 2)) as gmv_amount
    from brought_home
    group by basis, entity_code, marketplace_code, period, item_code

),

-- ---- an operator's sellers: what its marketplace earned with each, from their balances

operators as (

    select * from marketplaces
    where perspective = 'OPERATOR'

),

operator_lines as (

    select
        operators.entity_code,
        lines.marketplace_code,
        lines.shop_id,
        {{ period_of('lines.line_date') }} as period,
        coalesce({{ period_of('orders.order_date') }}, {{ period_of('lines.line_date') }}) as cohort_period,
        lines.bucket,
        lines.is_tax,
        profit_lines.profit_line,
        lines.amount
    from {{ ref('int_matching__transaction_lines') }} as lines
    inner join operators
        on lines.marketplace_code = operators.marketplace_code
    left join {{ ref('stg_tieout__profit_lines') }} as profit_lines
        on lines.account_role = profit_lines.account_role
    left join {{ ref('int_ledger__orders') }} as orders
        on
            lines.marketplace_code = orders.marketplace_code
            and lines.order_id = orders.order_id
    where lines.is_in_net and (lines.bucket in ('SALE', 'REFUND') or profit_lines.profit_line is not null)

),

operator_rows as (

    {% for basis, month in [('PERIOD', 'period'), ('COHORT', 'cohort_period')] -%}
    select
        '{{ basis }}' as basis,
        entity_code,
        marketplace_code,
        {{ month }} as period,
        '' as item_code,
        shop_id,
        {% for line, name in lines.items() -%}
        {% if line in ('GROSS_SALES', 'SHIPPING', 'REFUNDS', 'COGS') -%}
        cast(0 as decimal(18, 2)) as {{ name }}_amount,
        {% else -%}
        -- What a seller is charged is the operator's income.
        -sum(case when profit_line = '{{ line }}' then amount else 0 end) as {{ name }}_amount,
        {% endif -%}
        {% endfor -%}
        cast(0 as decimal(18, 2)) as shared_amount,
        sum(case when bucket in ('SALE', 'REFUND') and not is_tax then amount else 0 end) as gmv_amount
    from operator_lines
    group by entity_code, marketplace_code, {{ month }}, shop_id
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

unioned as (

    select * from seller_rows
    union all
    select * from operator_rows

),

memo as (

    {% for basis, month in [('PERIOD', 'period'), ('COHORT', 'cohort_period')] -%}
    select
        '{{ basis }}' as basis,
        entity_code,
        marketplace_code,
        {{ month }} as period,
        item_code,
        sum(case when account_role = '(UNITS)' then amount else 0 end) as unit_count,
        sum(case when account_role = '(DISCOUNT)' then amount else 0 end) as discount_amount,
        sum(case when account_role = '(OPERATOR_FUNDED)' then amount else 0 end) as operator_funded_amount
    from {{ ref('int_accounting__profit_facts') }}
    where account_role like '(%'
    group by entity_code, marketplace_code, {{ month }}, item_code
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

categories as (

    select
        marketplace_code,
        item_code,
        min(category_code) as category_code
    from {{ ref('int_ledger__order_lines') }}
    group by marketplace_code, item_code

),

item_costs as (

    select
        marketplaces.marketplace_code,
        items.item_code,
        items.standard_cost
    from {{ ref('int_ledger__items') }} as items
    inner join {{ ref('int_ledger__marketplaces') }} as marketplaces
        on items.erp_code = marketplaces.erp_code
    where items.standard_cost > 0

),

totalled as (

    select
        unioned.*,
        coalesce(memo.unit_count, 0) as unit_count,
        coalesce(memo.discount_amount, 0) as discount_amount,
        coalesce(memo.operator_funded_amount, 0) as operator_funded_amount,
        {% for total, parts in totals.items() -%}
        {{ 'unioned.' ~ (parts | join('_amount\n        + unioned.')) ~ '_amount' }}
            as {{ total }}_amount,
        {% endfor -%}
        categories.category_code,
        item_costs.standard_cost
    from unioned
    left join memo
        on
            unioned.basis = memo.basis
            and unioned.marketplace_code = memo.marketplace_code
            and unioned.period = memo.period
            and unioned.item_code = memo.item_code
            and unioned.shop_id = ''
    left join categories
        on
            unioned.marketplace_code = categories.marketplace_code
            and unioned.item_code = categories.item_code
    left join item_costs
        on
            unioned.marketplace_code = item_costs.marketplace_code
            and unioned.item_code = item_costs.item_code

),

final as (

    select
        totalled.basis,
        totalled.marketplace_code,
        totalled.entity_code,
        marketplaces.perspective,
        totalled.period,
        totalled.item_code,
        totalled.shop_id,
        totalled.category_code,
        marketplaces.functional_currency as currency_code,
        cast(totalled.unit_count as decimal(18, 4)) as unit_count,
        {{ money('totalled.gmv_amount') }} as gmv_amount,
        {{ money('totalled.gross_sales_amount + totalled.discount_amount') }} as list_sales_amount,
        {{ money('-totalled.discount_amount') }} as seller_discount_amount,
        {% for name in [
            'gross_sales', 'operator_funded', 'shipping', 'refund', 'net_sales', 'cogs', 'product_margin', 'commission',
            'order_fee', 'carriage', 'contribution_1', 'advertising', 'subscription', 'adjustment', 'bank_exchange',
            'contribution_2', 'shared',
        ] -%}
        {{ money('totalled.' ~ name ~ '_amount') }} as {{ name }}_amount,
        {% endfor -%}
        {% for name, part, whole in [
            ('take_rate', '-(totalled.commission_amount + totalled.order_fee_amount + totalled.subscription_amount)',
                'totalled.net_sales_amount'),
            ('refund_rate', '-totalled.refund_amount', 'totalled.gross_sales_amount + totalled.shipping_amount'),
            ('net_margin_rate', 'totalled.contribution_2_amount', 'totalled.net_sales_amount'),
        ] -%}
        case
            when {{ whole }} > 0
                then cast(cast({{ round_ratio(
                    'cast(round((' ~ part ~ ') * 1000000) as bigint)',
                    'cast(round((' ~ whole ~ ') * 100) as bigint)'
                ) }} as decimal(18, 4)) * 0.0001 as decimal(18, 4))
        end as {{ name }},
        {% endfor -%}
        coalesce(totalled.unit_count > 0 and totalled.cogs_amount >= 0, false) as is_cost_missing,
        case
            when totalled.unit_count > 0 and totalled.cogs_amount >= 0
                then {{ money('-totalled.unit_count * totalled.standard_cost') }}
        end as estimated_cogs_amount
    from totalled
    inner join marketplaces
        on totalled.marketplace_code = marketplaces.marketplace_code

)

select * from final

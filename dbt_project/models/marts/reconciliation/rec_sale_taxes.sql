-- Level a, the tax of the sale: one row per order and rule. Has somebody said who accounts for the tax (T010), and did the operator do
-- what that says (T020). Whether the books carry the code that follows is rule LINE_TAX of rec_orders. Amounts of tax in the order's
-- currency; delta_amount = actual - expected.
with

sales as (

    select * from {{ ref('int_matching__sale_taxes') }}

),

decided as (

    select
        sales.*,
        'T010_ROLE' as rule_code,
        case
            when sales.is_excluded or sales.order_state in ('CANCELED', 'REFUSED') then 'EXCLUDED'
            when sales.is_decided then 'MATCHED'
            else 'EXCEPTION'
        end as status,
        'TAX-002' as fault_code,
        cast(0 as decimal(18, 2)) as expected_amount,
        case when sales.is_decided then 0 else sales.goods_amount end as actual_amount,
        'order ' || sales.order_id || ' over ' || cast(sales.goods_amount as varchar) || ' ' || sales.currency_code
        || ' of goods went to ' || coalesce(sales.ship_to_country, 'no country')
        || ', for which tax_regimes.csv does not say who accounts for the tax' as summary
    from sales

),

accounted as (

    select
        sales.*,
        'T020_ACCOUNTABLE' as rule_code,
        case
            when sales.is_excluded or sales.order_state in ('CANCELED', 'REFUSED') then 'EXCLUDED'
            when sales.accountable = 'SELLER' and sales.remitted_tax_amount > 0 then 'EXCEPTION'
            when sales.accountable = 'SELLER' then 'MATCHED'
            when sales.charged_tax_amount > 0 and not sales.has_tax_lines then 'TIMING'
            when sales.settled_tax_amount > sales.remitted_tax_amount then 'EXCEPTION'
            else 'MATCHED'
        end as status,
        case when sales.accountable = 'SELLER' then 'TAX-005' else 'TAX-006' end as fault_code,
        cast(0 as decimal(18, 2)) as expected_amount,
        case
            when sales.accountable = 'SELLER' then sales.remitted_tax_amount
            else sales.settled_tax_amount - sales.remitted_tax_amount
        end as actual_amount,
        case
            when sales.accountable = 'SELLER'
                then
                    'the operator collected ' || cast(sales.remitted_tax_amount as varchar) || ' '
                    || sales.currency_code || ' of tax on order ' || sales.order_id || ' to ' || sales.ship_to_country
                    || ', a consignment of ' || cast(sales.consignment_amount as varchar)
                    || ', for which the seller accounts by tax_regimes.csv'
            else
                'the operator owes the tax of order ' || sales.order_id || ' to ' || sales.ship_to_country
                || ' and paid ' || cast(sales.settled_tax_amount - sales.remitted_tax_amount as varchar) || ' '
                || sales.currency_code || ' of it to the seller'
        end as summary
    from sales
    where
        sales.accountable is not null
        and (sales.charged_tax_amount > 0 or sales.has_tax_lines)

),

unioned as (

    select * from decided
    union all
    select * from accounted

),

final as (

    select
        unioned.marketplace_code,
        unioned.entity_code,
        'ORDER' as subject_type,
        unioned.order_id as subject_id,
        unioned.rule_code,
        unioned.status,
        case when unioned.status = 'EXCEPTION' then unioned.fault_code end as exception_code,
        {{ money('unioned.expected_amount') }} as expected_amount,
        {{ money('unioned.actual_amount') }} as actual_amount,
        {{ money('unioned.actual_amount - unioned.expected_amount') }} as delta_amount,
        cast(0 as decimal(18, 2)) as tolerance_amount,
        unioned.currency_code,
        unioned.order_id as left_id,
        cast(null as varchar) as right_id,
        cast(null as timestamp) as due_at,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        case when unioned.status in ('EXCEPTION', 'TIMING') then unioned.summary end as summary,
        unioned.order_id,
        unioned.order_date as subject_date,
        unioned.ship_to_country,
        unioned.consignment_amount,
        unioned.accountable,
        unioned.sale_tax_role as tax_role
    from unioned

)

select * from final

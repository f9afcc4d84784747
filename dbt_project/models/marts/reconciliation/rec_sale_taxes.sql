-- Level a, the tax of the sale: one row per subject (order, test, VAT period, tax role) and rule. Has somebody said who accounts for the tax (T010), and did the operator do
-- what that says (T020). Whether the books carry the code that follows is rule LINE_TAX of rec_orders. Amounts of tax in the order's
-- currency; delta_amount = actual - expected.
with

sales as {{ inlined() }} (

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
        case
            when not sales.is_decided
                then
                    'order ' || sales.order_id || ' over ' || cast(sales.goods_amount as varchar) || ' '
                    || sales.currency_code || ' of goods went to ' || coalesce(sales.ship_to_country, 'no country')
                    || ', for which tax_regimes.csv does not say who accounts for the tax'
        end as summary
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

points as (

    -- The customer's money can fix the tax point before the goods leave and the invoice is raised.
    select
        sales.marketplace_code,
        sales.entity_code,
        sales.currency_code,
        sales.order_id,
        marketplaces.as_of_date,
        entities.vat_period_months,
        entities.vat_period_end_month,
        min({{ local_date('order_lines.debited_at', 'marketplaces.time_zone') }}) as debit_date,
        max({{ local_date('order_lines.shipped_at', 'marketplaces.time_zone') }}) as dispatch_date,
        cast(sum({{ tax_in_gross(
            '(order_lines.price_amount - order_lines.cancelled_amount + order_lines.shipping_amount'
            ~ ' - order_lines.cancelled_shipping_amount)',
            'coalesce(sales.sale_tax_rate_percent, items.tax_rate_percent, 0)'
        ) }}) as decimal(18, 2)) as tax_amount
    from sales
    inner join {{ ref('int_ledger__marketplaces') }} as marketplaces
        on sales.marketplace_code = marketplaces.marketplace_code
    inner join {{ ref('stg_tieout__entities') }} as entities
        on sales.entity_code = entities.entity_code
    inner join {{ ref('int_ledger__order_lines') }} as order_lines
        on
            sales.marketplace_code = order_lines.marketplace_code
            and sales.order_id = order_lines.order_id
    left join {{ ref('int_ledger__items') }} as items
        on
            marketplaces.erp_code = items.erp_code
            and order_lines.item_code = items.item_code
    where not sales.is_excluded and not order_lines.is_cancelled and order_lines.debited_at is not null
    group by
        sales.marketplace_code,
        sales.entity_code,
        sales.currency_code,
        sales.order_id,
        marketplaces.as_of_date,
        entities.vat_period_months,
        entities.vat_period_end_month

),

straddled as (

    select
        ended.marketplace_code,
        ended.entity_code,
        ended.currency_code,
        ended.period_end,
        sum(case when ended.dispatch_date > ended.period_end then 1 else 0 end) as order_count,
        sum(case when ended.dispatch_date is null then 1 else 0 end) as waiting_count,
        cast(sum(case when ended.dispatch_date > ended.period_end then ended.tax_amount else 0 end) as decimal(18, 2))
            as tax_amount
    from (
        select
            points.*,
            {{ vat_period_end('points.debit_date', 'points.vat_period_months', 'points.vat_period_end_month') }}
                as period_end
        from points
        where points.tax_amount > 0
    ) as ended
    where ended.period_end < ended.as_of_date
    group by ended.marketplace_code, ended.entity_code, ended.currency_code, ended.period_end

),

-- Pennies that are forgiven one by one, over the orders of thirty days: roundings go both ways, an import that rounds wrongly does not.
rounded as (

    select
        rec_orders.marketplace_code,
        rec_orders.entity_code,
        rec_orders.rule_code as test_code,
        rec_orders.currency_code,
        max(marketplaces.as_of_date) as as_of_date,
        sum(case when rec_orders.status = 'MATCHED_WITHIN_TOLERANCE' then 1 else 0 end) as rounded_count,
        cast(sum(rec_orders.delta_amount) as decimal(18, 2)) as drift_amount
    from {{ ref('rec_orders') }} as rec_orders
    inner join sales
        on
            rec_orders.marketplace_code = sales.marketplace_code
            and rec_orders.order_id = sales.order_id
    inner join {{ ref('int_ledger__marketplaces') }} as marketplaces
        on rec_orders.marketplace_code = marketplaces.marketplace_code
    where
        rec_orders.rule_code in ('LINE_TAX', 'LINE_PRICE')
        and rec_orders.status in ('MATCHED', 'MATCHED_WITHIN_TOLERANCE')
        and sales.order_date > {{ add_days('marketplaces.as_of_date', '-30') }}
    group by
        rec_orders.marketplace_code, rec_orders.entity_code, rec_orders.rule_code, rec_orders.currency_code

),

drifted as (

    select
        rounded.*,
        coalesce(tolerances.amount, 0) as tolerance_amount
    from rounded
    left join {{ ref('int_ledger__tolerances') }} as tolerances
        on
            tolerances.test_code = 'ROUNDING_DRIFT'
            and rounded.currency_code = tolerances.currency_code
            and rounded.as_of_date >= tolerances.effective_from
            and (tolerances.effective_until is null or rounded.as_of_date < tolerances.effective_until)

),

rated as (

    -- The rate that the configuration states for a code today, beside the one that the ERP computes with.
    select
        ranked.*,
        codes.rate_percent as erp_rate_percent
    from (
        select
            marketplaces.marketplace_code,
            marketplaces.entity_code,
            marketplaces.erp_code,
            marketplaces.functional_currency as currency_code,
            marketplaces.as_of_date,
            tax_codes.tax_role,
            tax_codes.erp_tax_code,
            tax_codes.rate_percent,
            row_number() over (
                partition by marketplaces.entity_code, tax_codes.tax_role
                order by tax_codes.effective_from desc, marketplaces.marketplace_code asc
            ) as choice_number
        from {{ ref('int_ledger__marketplaces') }} as marketplaces
        inner join {{ ref('stg_tieout__tax_codes') }} as tax_codes
            on
                marketplaces.entity_code = tax_codes.entity_code
                and marketplaces.as_of_date >= tax_codes.effective_from
        where marketplaces.has_books
    ) as ranked
    inner join {{ ref('int_ledger__erp_tax_codes') }} as codes
        on
            ranked.erp_code = codes.erp_code
            and ranked.erp_tax_code = codes.tax_code
    where ranked.choice_number = 1

),

unioned as (

    select
        marketplace_code,
        entity_code,
        'ORDER' as subject_type,
        order_id as subject_id,
        rule_code,
        status,
        fault_code,
        expected_amount,
        actual_amount,
        cast(0 as decimal(18, 2)) as tolerance_amount,
        currency_code,
        summary,
        order_id,
        order_date as subject_date,
        ship_to_country,
        consignment_amount,
        accountable,
        sale_tax_role
    from (
        select * from decided
        union all
        select * from accounted
    ) as judged
    union all
    select
        marketplace_code,
        entity_code,
        'TEST' as subject_type,
        test_code as subject_id,
        'T040_DRIFT' as rule_code,
        case
            when drift_amount = 0 then 'MATCHED'
            when abs(drift_amount) <= tolerance_amount then 'MATCHED_WITHIN_TOLERANCE'
            else 'EXCEPTION'
        end as status,
        'TAX-004' as fault_code,
        cast(0 as decimal(18, 2)) as expected_amount,
        drift_amount as actual_amount,
        tolerance_amount,
        currency_code,
        cast(rounded_count as varchar) || ' roundings of test ' || test_code
        || ' on the orders of thirty days add up to ' || cast(drift_amount as varchar)
        || ' ' || currency_code || ': they go one way' as summary,
        cast(null as varchar) as order_id,
        as_of_date as subject_date,
        cast(null as varchar) as ship_to_country,
        cast(null as decimal(18, 2)) as consignment_amount,
        cast(null as varchar) as accountable,
        cast(null as varchar) as sale_tax_role
    from drifted
    union all
    select
        marketplace_code,
        entity_code,
        'VAT_PERIOD' as subject_type,
        {{ period_of('period_end') }} as subject_id,
        'T050_TAX_POINT' as rule_code,
        case when order_count > 0 then 'EXCEPTION' when waiting_count > 0 then 'TIMING' else 'MATCHED' end as status,
        'TAX-008' as fault_code,
        cast(0 as decimal(18, 2)) as expected_amount,
        tax_amount as actual_amount,
        cast(0 as decimal(18, 2)) as tolerance_amount,
        currency_code,
        case
            when order_count > 0
                then
                    cast(order_count as varchar) || ' orders were paid by their customers in the VAT period that ends'
                    || ' on ' || cast(period_end as varchar) || ' and left and were invoiced after it: '
                    || cast(tax_amount as varchar) || ' ' || currency_code
                    || ' of VAT may belong to the earlier return'
            else
                cast(waiting_count as varchar) || ' orders paid in the VAT period that ends on '
                || cast(period_end as varchar) || ' have not left yet'
        end as summary,
        cast(null as varchar) as order_id,
        period_end as subject_date,
        cast(null as varchar) as ship_to_country,
        cast(null as decimal(18, 2)) as consignment_amount,
        cast(null as varchar) as accountable,
        cast(null as varchar) as sale_tax_role
    from straddled
    union all
    select
        marketplace_code,
        entity_code,
        'TAX_CODE' as subject_type,
        tax_role as subject_id,
        'T060_RATE' as rule_code,
        case when rate_percent = erp_rate_percent then 'MATCHED' else 'EXCEPTION' end as status,
        'TAX-002' as fault_code,
        cast(null as decimal(18, 2)) as expected_amount,
        cast(null as decimal(18, 2)) as actual_amount,
        cast(null as decimal(18, 2)) as tolerance_amount,
        currency_code,
        'tax_codes.csv says that ' || tax_role || ' is code ' || erp_tax_code || ' at '
        || cast(cast(rate_percent as decimal(9, 2)) as varchar) || ' %, the ERP computes it at '
        || cast(cast(erp_rate_percent as decimal(9, 2)) as varchar)
        || ' %: add a row from the day on which the rate changed, or correct the code' as summary,
        cast(null as varchar) as order_id,
        as_of_date as subject_date,
        cast(null as varchar) as ship_to_country,
        cast(null as decimal(18, 2)) as consignment_amount,
        cast(null as varchar) as accountable,
        tax_role as sale_tax_role
    from rated

),

final as (

    select
        unioned.marketplace_code,
        unioned.entity_code,
        unioned.subject_type,
        unioned.subject_id,
        unioned.rule_code,
        unioned.status,
        case when unioned.status = 'EXCEPTION' then unioned.fault_code end as exception_code,
        {{ money('unioned.expected_amount') }} as expected_amount,
        {{ money('unioned.actual_amount') }} as actual_amount,
        {{ money('unioned.actual_amount - unioned.expected_amount') }} as delta_amount,
        {{ money('unioned.tolerance_amount') }} as tolerance_amount,
        unioned.currency_code,
        unioned.subject_id as left_id,
        cast(null as varchar) as right_id,
        cast(null as timestamp) as due_at,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        case when unioned.status in ('EXCEPTION', 'TIMING') then unioned.summary end as summary,
        unioned.order_id,
        unioned.subject_date,
        unioned.ship_to_country,
        unioned.consignment_amount,
        unioned.accountable,
        unioned.sale_tax_role as tax_role
    from unioned

)

select * from final

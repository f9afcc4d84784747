-- Level j: one row per subject (refund, credit note, order line) and rule. Not additive over rules: one refund has several rows.
-- Refunds of the marketplace against credit notes of the books, both ways; refunds against what was sold, against their share of tax,
-- and against the goods that should have come back. delta_amount = actual - expected, tax included, in the order's currency.
with

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}

),

orders as {{ inlined() }} (

    select * from {{ ref('int_ledger__orders') }}

),

order_lines as {{ inlined() }} (

    select * from {{ ref('int_ledger__order_lines') }}

),

tolerances as (

    select * from {{ ref('int_ledger__tolerances') }}

),

refunds as (

    select
        refunds.*,
        orders.is_excluded,
        orders.order_date,
        marketplaces.as_of_date,
        marketplaces.time_zone,
        {{ local_date('refunds.created_at', 'marketplaces.time_zone') }} as refund_date
    from {{ ref('int_ledger__refunds') }} as refunds
    inner join orders
        on
            refunds.marketplace_code = orders.marketplace_code
            and refunds.order_id = orders.order_id
    inner join marketplaces
        on refunds.marketplace_code = marketplaces.marketplace_code

),

summed as (

    select
        refunds.*,
        cast(sum(refunds.amount) over (
            partition by refunds.marketplace_code, refunds.order_line_id
            order by refunds.created_at, refunds.refund_id
            rows between unbounded preceding and current row
        ) as decimal(18, 2)) as goods_until_now
    from refunds

),

-- Pence, because a ratio of decimals is a binary float on some engines.
tax_shares as (

    select
        summed.*,
        cast(round((order_lines.tax_amount - order_lines.cancelled_tax_amount) * 100) as bigint) as tax_pence,
        cast(round((order_lines.price_amount - order_lines.cancelled_amount) * 100) as bigint) as base_pence,
        cast(round(summed.goods_until_now * 100) as bigint) as now_pence,
        cast(round((summed.goods_until_now - summed.amount) * 100) as bigint) as before_pence,
        coalesce(tax_tolerance.amount, 0) as tax_tolerance
    from summed
    inner join order_lines
        on
            summed.marketplace_code = order_lines.marketplace_code
            and summed.order_line_id = order_lines.order_line_id
    left join tolerances as tax_tolerance
        on
            tax_tolerance.test_code = 'ORDER_TAX'
            and summed.currency_code = tax_tolerance.currency_code
            and summed.order_date >= tax_tolerance.effective_from
            and (tax_tolerance.effective_until is null or summed.order_date < tax_tolerance.effective_until)
    where
        order_lines.tax_amount - order_lines.cancelled_tax_amount > 0
        and order_lines.price_amount - order_lines.cancelled_amount > 0

),

shared as (

    select
        tax_shares.*,
        cast(cast(
            {{ round_ratio('tax_shares.tax_pence * tax_shares.now_pence', 'tax_shares.base_pence') }}
            - {{ round_ratio('tax_shares.tax_pence * tax_shares.before_pence', 'tax_shares.base_pence') }}
            as decimal(18, 2)
        ) * 0.01 as decimal(18, 2)) as computed_tax_amount
    from tax_shares

),

refunded_tax as (

    select
        marketplace_code,
        entity_code,
        'REFUND' as subject_type,
        refund_id as subject_id,
        'J040_REFUNDED_TAX' as rule_code,
        case
            when is_excluded then 'EXCLUDED'
            when tax_amount = computed_tax_amount then 'MATCHED'
            when abs(tax_amount - computed_tax_amount) <= tax_tolerance then 'MATCHED_WITHIN_TOLERANCE'
            else 'EXCEPTION'
        end as status,
        'CRN-006' as exception_code,
        computed_tax_amount as expected_amount,
        tax_amount as actual_amount,
        tax_tolerance as tolerance_amount,
        currency_code,
        cast(null as timestamp) as due_at,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        'refund ' || refund_id || ' of line ' || order_line_id || ' gives back ' || cast(tax_amount as varchar) || ' '
        || currency_code || ' of tax with ' || cast(amount as varchar) || ' of goods; the share of the tax charged is '
        || cast(computed_tax_amount as varchar) as summary,
        order_id,
        order_line_id,
        refund_id,
        cast(null as varchar) as document_no,
        refund_date as subject_date
    from shared

),

refunded_lines as (

    select
        marketplace_code,
        order_line_id,
        count(*) as refund_count,
        cast(sum(amount) as decimal(18, 2)) as goods_amount,
        cast(sum(shipping_amount) as decimal(18, 2)) as carriage_amount,
        max(refund_date) as refund_date
    from refunds
    group by marketplace_code, order_line_id

),

sold as (

    select
        order_lines.*,
        orders.is_excluded,
        refunded_lines.refund_count,
        refunded_lines.refund_date,
        refunded_lines.goods_amount as refunded_goods_amount,
        refunded_lines.carriage_amount as refunded_carriage_amount,
        cast(order_lines.price_amount - order_lines.cancelled_amount as decimal(18, 2)) as goods_sold,
        cast(order_lines.shipping_amount - order_lines.cancelled_shipping_amount as decimal(18, 2)) as carriage_sold
    from refunded_lines
    inner join order_lines
        on
            refunded_lines.marketplace_code = order_lines.marketplace_code
            and refunded_lines.order_line_id = order_lines.order_line_id
    inner join orders
        on
            order_lines.marketplace_code = orders.marketplace_code
            and order_lines.order_id = orders.order_id

),

within_sale as (

    select
        marketplace_code,
        entity_code,
        'ORDER_LINE' as subject_type,
        order_line_id as subject_id,
        'J050_WITHIN_SALE' as rule_code,
        case
            when is_excluded then 'EXCLUDED'
            when refunded_goods_amount <= goods_sold and refunded_carriage_amount <= carriage_sold then 'MATCHED'
            else 'EXCEPTION'
        end as status,
        'CRN-004' as exception_code,
        cast(
            least(refunded_goods_amount, goods_sold) + least(refunded_carriage_amount, carriage_sold) as decimal(18, 2)
        ) as expected_amount,
        cast(refunded_goods_amount + refunded_carriage_amount as decimal(18, 2)) as actual_amount,
        cast(0 as decimal(18, 2)) as tolerance_amount,
        currency_code,
        cast(null as timestamp) as due_at,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        'line ' || order_line_id || ' was sold for ' || cast(goods_sold as varchar) || ' and '
        || cast(carriage_sold as varchar) || ' carriage; its ' || cast(refund_count as varchar)
        || ' refunds give back ' || cast(refunded_goods_amount as varchar) || ' and '
        || cast(refunded_carriage_amount as varchar) || ' ' || currency_code as summary,
        order_id,
        order_line_id,
        cast(null as varchar) as refund_id,
        cast(null as varchar) as document_no,
        refund_date as subject_date
    from sold

),

returns as (

    select * from {{ ref('int_ledger__returns') }}

),

-- Only where the goods were asked back: what was lost, or given away as goodwill, is not expected.
goods_returned as (

    select
        refunds.marketplace_code,
        refunds.entity_code,
        'REFUND' as subject_type,
        refunds.refund_id as subject_id,
        'J060_RETURNED' as rule_code,
        case
            when refunds.is_excluded then 'EXCLUDED'
            when not returns.is_under_way then 'MATCHED'
            when
                {{ days_between('refunds.refund_date', 'refunds.as_of_date') }} <= coalesce(return_days.amount, 14)
                then 'TIMING'
            else 'EXCEPTION'
        end as status,
        'CRN-005' as exception_code,
        refunds.amount as expected_amount,
        case when not returns.is_under_way then refunds.amount else 0 end as actual_amount,
        cast(0 as decimal(18, 2)) as tolerance_amount,
        refunds.currency_code,
        {{ utc_from_local(
            'cast(' ~ add_days('refunds.refund_date', 'coalesce(return_days.amount, 14) + 1') ~ ' as timestamp)',
            'refunds.time_zone'
        ) }} as due_at,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        'refund ' || refunds.refund_id || ' of ' || cast(refunds.amount as varchar) || ' ' || refunds.currency_code
        || ' was paid on ' || cast(refunds.refund_date as varchar) || ' for goods asked back on '
        || substr(cast(returns.created_at as varchar), 1, 10) || ' (return ' || returns.return_id
        || ') that have not arrived' as summary,
        refunds.order_id,
        refunds.order_line_id,
        refunds.refund_id,
        cast(null as varchar) as document_no,
        refunds.refund_date as subject_date
    from refunds
    inner join returns
        on
            refunds.marketplace_code = returns.marketplace_code
            and refunds.order_line_id = returns.order_line_id
    left join tolerances as return_days
        on
            return_days.test_code = 'RETURN_DAYS'
            and return_days.currency_code = '*'
            and refunds.refund_date >= return_days.effective_from
            and (return_days.effective_until is null or refunds.refund_date < return_days.effective_until)

),

unioned as (

    select * from {{ ref('int_matching__refund_checks') }}
    union all
    select * from refunded_tax
    union all
    select * from within_sale
    union all
    select * from goods_returned

),

final as (

    select
        unioned.marketplace_code,
        unioned.entity_code,
        unioned.subject_type,
        unioned.subject_id,
        unioned.rule_code,
        unioned.status,
        case when unioned.status = 'EXCEPTION' then unioned.exception_code end as exception_code,
        {{ money('unioned.expected_amount') }} as expected_amount,
        {{ money('unioned.actual_amount') }} as actual_amount,
        {{ money('unioned.actual_amount - unioned.expected_amount') }} as delta_amount,
        {{ money('unioned.tolerance_amount') }} as tolerance_amount,
        unioned.currency_code,
        coalesce(unioned.refund_id, unioned.order_line_id, unioned.order_id) as left_id,
        unioned.document_no as right_id,
        case when unioned.status in ('EXCEPTION', 'TIMING') then unioned.due_at end as due_at,
        case when unioned.status = 'EXCEPTION' then unioned.root_subject_type end as root_subject_type,
        case when unioned.status = 'EXCEPTION' then unioned.root_subject_id end as root_subject_id,
        case when unioned.status in ('EXCEPTION', 'TIMING') then unioned.summary end as summary,
        unioned.order_id,
        unioned.order_line_id,
        unioned.refund_id,
        unioned.document_no,
        unioned.subject_date,
        case
            when unioned.status in ('EXCEPTION', 'TIMING')
                then cast({{ days_between('unioned.subject_date', 'marketplaces.as_of_date') }} as integer)
        end as open_days,
        case
            when unioned.status not in ('EXCEPTION', 'TIMING') then null
            when {{ days_between('unioned.subject_date', 'marketplaces.as_of_date') }} <= 1 then '0-1'
            when {{ days_between('unioned.subject_date', 'marketplaces.as_of_date') }} <= 3 then '2-3'
            when {{ days_between('unioned.subject_date', 'marketplaces.as_of_date') }} <= 7 then '4-7'
            when {{ days_between('unioned.subject_date', 'marketplaces.as_of_date') }} <= 14 then '8-14'
            else '15+'
        end as age_bucket
    from unioned
    inner join marketplaces
        on unioned.marketplace_code = marketplaces.marketplace_code

)

select * from final

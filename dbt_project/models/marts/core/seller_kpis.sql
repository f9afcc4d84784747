-- Grain: shop × figure × period. How a shop did, counted from its orders as the marketplace counts them, beside the marketplace's own
-- figure where it publishes one (A21), for the same orders: those created before it was taken. Rates are fractions of orders.
with

shops as (

    select * from {{ ref('int_ledger__shops') }}

),

orders as (

    select * from {{ ref('int_ledger__orders') }}

),

order_lines as (

    select
        lines.marketplace_code,
        lines.order_id,
        max(lines.shipped_at) as last_shipped_at
    from {{ ref('int_ledger__order_lines') }} as lines
    group by lines.marketplace_code, lines.order_id

),

refunds as (

    select distinct
        refunds.marketplace_code,
        refunds.order_id
    from {{ ref('int_ledger__refunds') }} as refunds

),

statistics as (

    select * from {{ ref('int_ledger__shop_statistics') }}

),

statistic_times as (

    select
        statistics.marketplace_code,
        statistics.shop_id,
        max(statistics.taken_at) as taken_at
    from statistics
    group by statistics.marketplace_code, statistics.shop_id

),

windows as (

    select
        shops.marketplace_code,
        shops.entity_code,
        shops.shop_id,
        coalesce(statistic_times.taken_at, {{ as_of() }}) as counted_until,
        {{ add_minutes('coalesce(statistic_times.taken_at, ' ~ as_of() ~ ')', '-43200') }} as month_from
    from shops
    left join statistic_times
        on
            shops.marketplace_code = statistic_times.marketplace_code
            and shops.shop_id = statistic_times.shop_id

),

judged as (

    select
        windows.marketplace_code,
        windows.entity_code,
        windows.shop_id,
        windows.counted_until,
        orders.created_at >= windows.month_from as is_last_month,
        case when orders.order_state in ('REFUSED', 'WAITING_ACCEPTANCE') then 0 else 1 end as approved,
        case when orders.order_state = 'CANCELED' then 1 else 0 end as cancelled,
        case when order_lines.last_shipped_at > orders.shipping_deadline_at then 1 else 0 end as late,
        case when orders.has_incident then 1 else 0 end as incident,
        case when refunds.order_id is not null then 1 else 0 end as refunded
    from windows
    inner join orders
        on
            windows.marketplace_code = orders.marketplace_code
            and windows.shop_id = orders.shop_id
            and windows.counted_until >= orders.created_at
    left join order_lines
        on
            orders.marketplace_code = order_lines.marketplace_code
            and orders.order_id = order_lines.order_id
    left join refunds
        on
            orders.marketplace_code = refunds.marketplace_code
            and orders.order_id = refunds.order_id

),

{% set kpis = {
    'ORDERS_COUNT': ('orders_count', '1'), 'APPROVAL_RATE': ('approval_rate', 'judged.approved'),
    'CANCELATION_RATE': ('cancelation_rate', 'judged.cancelled'), 'LATE_SHIPMENT_RATE': ('late_shipment_rate', 'judged.late'),
    'INCIDENT_RATE': ('incident_rate', 'judged.incident'), 'REFUND_RATE': ('refund_rate', 'judged.refunded'),
} -%}
counted as (

    {% for period, condition in [('ALL_SINCE_BEGINNING', 'true'), ('LAST_MONTH', 'judged.is_last_month')] -%}
    {% set outer_loop = loop -%}
    select
        judged.marketplace_code,
        judged.entity_code,
        judged.shop_id,
        '{{ period }}' as period_code,
        max(judged.counted_until) as counted_until,
        {% for code, (name, expression) in kpis.items() -%}
        sum({{ expression }}) as {{ name }}_orders,
        {% endfor -%}
        count(*) as order_count
    from judged
    where {{ condition }}
    group by judged.marketplace_code, judged.entity_code, judged.shop_id
    {% if not outer_loop.last -%}
    union all
    {% endif -%}
    {%- endfor %}

),

figures as (

    {% for code, (name, expression) in kpis.items() -%}
    select
        counted.marketplace_code,
        counted.entity_code,
        counted.shop_id,
        '{{ code }}' as kpi_code,
        '{{ name }}' as statistic_name,
        counted.period_code,
        counted.counted_until,
        counted.{{ name }}_orders as counted_orders,
        counted.order_count,
    {% if code == 'ORDERS_COUNT' -%}
    cast(counted.order_count as decimal(18, 4)) as our_value
    {%- else -%}
    cast(
        cast({{ round_ratio('counted.' ~ name ~ '_orders * 10000', 'counted.order_count') }} as decimal(18, 4))
        * 0.0001 as decimal(18, 4)
    )
        as our_value
    {%- endif %}
    from counted
    {% if not loop.last -%}
    union all
    {% endif -%}
    {%- endfor %}

),

final as (

    select
        figures.marketplace_code,
        figures.entity_code,
        figures.shop_id,
        figures.kpi_code,
        figures.period_code,
        figures.counted_until,
        cast(figures.counted_orders as integer) as counted_orders,
        cast(figures.order_count as integer) as order_count,
        figures.our_value,
        cast(statistics.statistic_value as decimal(18, 4)) as marketplace_value,
        cast(statistics.statistic_value - figures.our_value as decimal(18, 4)) as difference_value,
        case
            when statistics.statistic_value is null then 'NOT_PUBLISHED'
            -- The marketplace rounds a rate to whole per cents; a state may have moved on since it counted.
            when
                abs(statistics.statistic_value - figures.our_value)
                <= case when figures.kpi_code = 'ORDERS_COUNT' then 0 else 0.0051 end
                then 'EQUAL'
            else 'DIFFERS'
        end as comparison
    from figures
    left join statistics
        on
            figures.marketplace_code = statistics.marketplace_code
            and figures.shop_id = statistics.shop_id
            and figures.statistic_name = statistics.statistic_name
            and figures.period_code = statistics.period_code

)

select * from final

-- One row per subject and rule of level i on a marketplace whose sellers keep their books elsewhere: the sellers' parcels are the witness.
-- expected = what the order says was sent, actual = what the parcels hold; values tax included. Without any parcel there is no witness.

with marketplaces as (
    select * from {{ ref('int_ledger__marketplaces') }}
    where not has_books
),

orders as (
    select
        orders.*,
        {{ add_minutes('orders.shipping_deadline_at', '-60 * marketplaces.dispatch_risk_hours') }} as risk_at
    from {{ ref('int_ledger__orders') }} as orders
    inner join marketplaces
        on orders.marketplace_code = marketplaces.marketplace_code
),

parcels as (
    select
        parcels.*,
        orders.entity_code,
        orders.currency_code,
        orders.is_excluded
    from {{ ref('int_ledger__parcels') }} as parcels
    inner join orders
        on
            parcels.marketplace_code = orders.marketplace_code
            and parcels.order_id = orders.order_id
),

held as (
    select
        marketplace_code,
        order_line_id,
        cast(sum(case when is_sent then quantity else 0 end) as decimal(18, 4)) as quantity
    from parcels
    group by marketplace_code, order_line_id
),

lines as (
    select
        order_lines.marketplace_code,
        order_lines.entity_code,
        order_lines.order_id,
        order_lines.order_line_id,
        order_lines.item_code,
        order_lines.currency_code,
        orders.is_excluded,
        orders.order_state,
        orders.shipping_deadline_at,
        orders.risk_at,
        held.order_line_id is not null as has_parcels,
        order_lines.quantity as sold_quantity,
        order_lines.quantity - order_lines.cancelled_quantity as due_quantity,
        case
            when order_lines.shipped_at is not null and not order_lines.is_cancelled
                then order_lines.quantity - order_lines.cancelled_quantity
            else 0
        end as shipped_quantity,
        coalesce(held.quantity, 0) as parcel_quantity,
        order_lines.price_amount
        + case when orders.tax_mode = 'TAX_EXCLUDED' then order_lines.tax_amount else 0 end as sold_amount
    from {{ ref('int_ledger__order_lines') }} as order_lines
    inner join orders
        on
            order_lines.marketplace_code = orders.marketplace_code
            and order_lines.order_id = orders.order_id
    left join held
        on
            order_lines.marketplace_code = held.marketplace_code
            and order_lines.order_line_id = held.order_line_id
),

of_lines as (
    select
        marketplace_code,
        entity_code,
        'DISPATCH_LINE' as subject_type,
        order_line_id as subject_id,
        'LINE_SENT' as rule_code,
        case
            when is_excluded then 'EXCLUDED'
            when due_quantity = 0 and parcel_quantity > 0 then 'EXCEPTION'
            when due_quantity = 0 then 'EXCLUDED'
            when shipped_quantity = 0 then 'TIMING'
            when not has_parcels then 'EXCLUDED'
            when shipped_quantity = parcel_quantity then 'MATCHED'
            else 'EXCEPTION'
        end as status,
        case when due_quantity = 0 then 'DSP-006' else 'DSP-005' end as exception_code,
        {{ value_of_quantity('sold_amount', 'shipped_quantity', 'sold_quantity') }} as expected_amount,
        {{ value_of_quantity('sold_amount', 'parcel_quantity', 'sold_quantity') }} as actual_amount,
        currency_code,
        order_line_id as left_id,
        cast(null as varchar) as right_id,
        shipping_deadline_at as due_at,
        'line ' || order_line_id || ' (' || coalesce(item_code, 'no item') || ', ' || order_state || '): '
        || {{ whole_number('shipped_quantity') }} || ' of ' || {{ whole_number('due_quantity') }}
        || ' shipped by the order, ' || {{ whole_number('parcel_quantity') }} || ' in the seller''s parcels' as summary,
        order_id,
        order_line_id,
        cast(shipped_quantity as decimal(18, 4)) as expected_quantity,
        parcel_quantity as actual_quantity
    from lines
),

of_deadlines as (
    select
        marketplace_code,
        entity_code,
        'DISPATCH' as subject_type,
        order_id as subject_id,
        'SHIPPING_DEADLINE' as rule_code,
        case when {{ as_of() }} >= min(risk_at) then 'EXCEPTION' else 'TIMING' end as status,
        'DSP-003' as exception_code,
        {{ money('sum(sold_amount)') }} as expected_amount,
        {{ money('case when ' ~ as_of() ~ ' >= min(risk_at) then 0 else sum(sold_amount) end') }} as actual_amount,
        min(currency_code) as currency_code,
        order_id as left_id,
        cast(null as varchar) as right_id,
        min(shipping_deadline_at) as due_at,
        'order ' || order_id
        || case
            when {{ as_of() }} >= min(shipping_deadline_at) then ' should have been shipped by '
            else ' has not been sent and must be shipped by '
        end
        || substr(cast(min(shipping_deadline_at) as varchar), 1, 16) || ' UTC; '
        || {{ whole_number('sum(parcel_quantity)') }} || ' of ' || {{ whole_number('sum(due_quantity)') }}
        || ' units are in parcels that have left' as summary,
        order_id,
        cast(null as varchar) as order_line_id,
        cast(sum(due_quantity) as decimal(18, 4)) as expected_quantity,
        cast(sum(parcel_quantity) as decimal(18, 4)) as actual_quantity
    from lines
    where order_state = 'SHIPPING' and not is_excluded and due_quantity > 0 and shipping_deadline_at is not null
    group by marketplace_code, entity_code, order_id
),

of_parcels as (
    select
        marketplace_code,
        entity_code,
        'SHIPMENT' as subject_type,
        shipment_id as subject_id,
        'CARRIER_AND_TRACKING' as rule_code,
        case
            when max(case when is_excluded then 1 else 0 end) = 1 then 'EXCLUDED'
            when min(coalesce(carrier_code, carrier_name)) is not null and min(tracking_number) is not null
                then 'MATCHED'
            when min(shipment_state) in ('SHIPPED', 'TO_COLLECT') then 'EXCEPTION'
            when min(shipment_state) in ('RECEIVED', 'CLOSED', 'CANCELED') then 'EXCLUDED'
            else 'TIMING'
        end as status,
        'DSP-004' as exception_code,
        cast(null as decimal(18, 2)) as expected_amount,
        cast(null as decimal(18, 2)) as actual_amount,
        min(currency_code) as currency_code,
        shipment_id as left_id,
        min(tracking_number) as right_id,
        cast(null as timestamp) as due_at,
        'parcel ' || shipment_id || ' of order ' || min(order_id) || ' is on its way with '
        || coalesce(min(carrier_name), min(carrier_code), 'an unnamed carrier') || ' under '
        || coalesce('number ' || min(tracking_number), 'no tracking number') as summary,
        min(order_id) as order_id,
        cast(null as varchar) as order_line_id,
        cast(null as decimal(18, 4)) as expected_quantity,
        cast(sum(quantity) as decimal(18, 4)) as actual_quantity
    from parcels
    group by marketplace_code, entity_code, shipment_id
),

final as (
    select * from of_lines
    union all
    select * from of_deadlines
    union all
    select * from of_parcels
)

select * from final

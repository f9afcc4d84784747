-- Grain: one deadline that an operator has set for an open order of ours: to accept it, or to ship it. What it waits for, when it will be
-- done at the present pace, and whether that is in time. forecast_at: the queue before it at the pace of order_rules.csv; empty where
-- somebody has to act first (blocked, ERP down, goods to despatch). alert_at: from then on people are told; at once while the ERP is down.
with

pairs as (

    select * from {{ ref('int_matching__order_pairs') }}
    where
        order_state in ('WAITING_ACCEPTANCE', 'SHIPPING')
        and not is_excluded

),

rules as (

    select * from {{ ref('stg_tieout__order_rules') }}
    where fulfilled_by = 'SELLER'

),

orders as (

    select * from {{ ref('int_ledger__orders') }}

),

imports as (

    select * from {{ ref('int_matching__order_imports') }}

),

actions as (

    select
        marketplace_code,
        natural_id,
        kind,
        state,
        detail,
        row_number() over (partition by marketplace_code, natural_id, kind order by version desc) as newness
    from {{ ref('int_ledger__outbox_actions') }}
    where kind in ('SALES_ORDER', 'ACCEPTANCE')

),

-- An ERP that did not answer while its marketplaces did.
readings as (

    select
        vendor,
        account,
        max(finished_at) as last_read_at
    from {{ ref('stg_tieout__batches') }}
    where is_batch_complete and entity in ('orders', 'sop_orders', 'sales_orders')
    group by vendor, account

),

health as (

    select
        marketplaces.marketplace_code,
        erp_readings.last_read_at as erp_last_read_at,
        coalesce(
            {{ minutes_between('erp_readings.last_read_at', 'marketplace_readings.last_read_at') }} >= 5, true
        ) as is_erp_down
    from {{ ref('int_ledger__marketplaces') }} as marketplaces
    inner join {{ ref('stg_tieout__erps') }} as erps
        on marketplaces.erp_code = erps.erp_code
    left join readings as erp_readings
        on
            erps.vendor = erp_readings.vendor
            and erps.erp_code = erp_readings.account
    left join readings as marketplace_readings
        on
            marketplaces.vendor = marketplace_readings.vendor
            and marketplaces.marketplace_code = marketplace_readings.account

),

judged as (

    select
        pairs.marketplace_code,
        pairs.entity_code,
        pairs.erp_code,
        pairs.order_id,
        pairs.order_state,
        pairs.document_no,
        pairs.total_amount,
        pairs.currency_code,
        case when pairs.order_state = 'WAITING_ACCEPTANCE' then 'ACCEPTANCE' else 'SHIPPING' end as deadline,
        case
            when pairs.order_state = 'WAITING_ACCEPTANCE' then pairs.acceptance_due_at
            else orders.shipping_deadline_at
        end as due_at,
        rules.alert_lead_hours,
        rules.orders_per_minute,
        health.is_erp_down,
        health.erp_last_read_at,
        imports.obstacle,
        imports.fault_side,
        imports.obstacle_words,
        creation.state as creation_state,
        creation.detail as creation_detail,
        acceptance.state as acceptance_state,
        acceptance.detail as acceptance_detail,
        case
            when pairs.erp_order_id is not null and pairs.order_state = 'SHIPPING' then 'DESPATCH'
            when pairs.erp_order_id is not null and acceptance.state = 'FAILED' then 'REFUSED_BY_MARKETPLACE'
            when pairs.erp_order_id is not null then 'ACCEPTANCE'
            when imports.obstacle is not null then 'DATA'
            when creation.state = 'FAILED' then 'REFUSED_BY_ERP'
            when creation.state in ('PROPOSED', 'REJECTED') then 'PERSON'
            when health.is_erp_down then 'ERP'
            else 'IMPORT'
        end as waits_for
    from pairs
    inner join rules
        on pairs.marketplace_code = rules.marketplace_code
    inner join orders
        on
            pairs.marketplace_code = orders.marketplace_code
            and pairs.order_id = orders.order_id
    left join health
        on pairs.marketplace_code = health.marketplace_code
    left join imports
        on
            pairs.marketplace_code = imports.marketplace_code
            and pairs.order_id = imports.order_id
    left join actions as creation
        on
            pairs.marketplace_code = creation.marketplace_code
            and pairs.order_id = creation.natural_id
            and creation.kind = 'SALES_ORDER'
            and creation.newness = 1
    left join actions as acceptance
        on
            pairs.marketplace_code = acceptance.marketplace_code
            and pairs.order_id = acceptance.natural_id
            and acceptance.kind = 'ACCEPTANCE'
            and acceptance.newness = 1

),

queued as (

    select
        judged.*,
        sum(case when judged.waits_for in ('IMPORT', 'ERP', 'ACCEPTANCE') then 1 else 0 end) over (
            partition by judged.erp_code
            order by judged.due_at asc, judged.order_id asc
            rows between unbounded preceding and current row
        ) as place
    from judged
    where judged.due_at is not null

),

forecast as (

    select
        queued.*,
        case when queued.waits_for in ('IMPORT', 'ERP', 'ACCEPTANCE') then queued.place end as queue_position,
        case
            when queued.waits_for in ('IMPORT', 'ACCEPTANCE')
                then {{ add_minutes(
                    as_of(), integer_divide('queued.place + queued.orders_per_minute - 1', 'queued.orders_per_minute')
                ) }}
        end as forecast_at,
        case
            when queued.waits_for = 'ERP' then {{ as_of() }}
            else {{ add_minutes('queued.due_at', '-60 * queued.alert_lead_hours') }}
        end as alert_at
    from queued

),

final as (

    select
        forecast.marketplace_code,
        forecast.entity_code,
        forecast.erp_code,
        forecast.order_id,
        forecast.order_state,
        forecast.deadline,
        forecast.due_at,
        cast({{ minutes_between(as_of(), 'forecast.due_at') }} as bigint) as minutes_left,
        forecast.alert_at,
        forecast.waits_for,
        forecast.fault_side,
        coalesce(forecast.is_erp_down, false) as is_erp_down,
        forecast.erp_last_read_at,
        cast(forecast.queue_position as bigint) as queue_position,
        forecast.forecast_at,
        case
            when forecast.due_at <= {{ as_of() }} then 'MISSED'
            when forecast.forecast_at > forecast.due_at then 'BREACH_FORECAST'
            when forecast.alert_at <= {{ as_of() }} then 'AT_RISK'
            else 'IN_TIME'
        end as status,
        forecast.total_amount as amount_at_risk,
        forecast.currency_code,
        forecast.document_no,
        case forecast.waits_for
            when 'DESPATCH' then 'the goods are to be despatched from ERP order ' || forecast.document_no
            when 'REFUSED_BY_MARKETPLACE'
                then
                    'the marketplace refuses the acceptance: '
                    || coalesce(forecast.acceptance_detail, 'no reason given')
            when 'ACCEPTANCE' then 'ERP order ' || forecast.document_no || ' is there, the acceptance is to be sent'
            when 'DATA' then forecast.obstacle_words
            when 'REFUSED_BY_ERP'
                then 'the ERP refuses the order: ' || coalesce(forecast.creation_detail, 'no reason given')
            when 'PERSON' then 'the order waits for approval (tieout actions --state PROPOSED)'
            when 'ERP'
                then
                    'the ERP does not answer'
                    || coalesce(' since ' || cast(forecast.erp_last_read_at as varchar) || ' UTC', '')
            else 'the order is to be created in the ERP'
        end as summary
    from forecast

)

select * from final

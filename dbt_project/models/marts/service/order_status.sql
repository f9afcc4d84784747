-- Grain: marketplace order. What customer service must know of it, in plain words and without personal data: where it is on both
-- sides, with whom it travels, what was given back, what was paid for it, and what is wrong with it. search_ids holds every id that
-- somebody on the telephone may name. Amounts in the order's currency, positive.
with

orders as (

    select * from {{ ref('fct_orders') }}

),

cash as (

    select * from {{ ref('sales_to_cash') }}

),

lines as (

    select
        marketplace_code,
        order_id,
        sum(total_amount - cancelled_amount - cancelled_shipping_amount) as due_amount,
        {{ ordered_list('order_line_id', "','", 'order_line_id') }} as line_ids,
        {{ ordered_list('coalesce(shop_sku, item_code)', "','", 'order_line_id') }} as skus
    from {{ ref('int_ledger__order_lines') }}
    group by marketplace_code, order_id

),

parcel_numbers as (

    select
        parcels.marketplace_code,
        parcels.order_id,
        parcels.tracking_number,
        max(coalesce(parcels.carrier_name, parcels.carrier_code)) as carrier_name
    from {{ ref('int_ledger__parcels') }} as parcels
    where parcels.is_sent and parcels.tracking_number is not null
    group by parcels.marketplace_code, parcels.order_id, parcels.tracking_number

),

parcels as (

    select
        marketplace_code,
        order_id,
        {{ ordered_list('tracking_number', "','", 'tracking_number') }} as tracking_numbers,
        min(carrier_name) as carrier_name
    from parcel_numbers
    group by marketplace_code, order_id

),

tracked as (

    -- A platform with one shipment per order has the number on the order itself.
    select
        orders.marketplace_code,
        orders.order_id,
        coalesce(parcels.tracking_numbers, orders.shipping_tracking) as tracking_numbers,
        coalesce(parcels.carrier_name, orders.shipping_carrier_code) as carrier_name
    from {{ ref('int_ledger__orders') }} as orders
    left join parcels
        on
            orders.marketplace_code = parcels.marketplace_code
            and orders.order_id = parcels.order_id
    where parcels.order_id is not null or orders.shipping_tracking is not null

),

dispatch_documents as (

    select
        pairs.marketplace_code,
        pairs.order_id,
        dispatches.dispatch_no,
        min(dispatches.dispatch_date) as dispatch_date,
        max(dispatches.carrier_name) as carrier_name,
        max(dispatches.tracking_number) as tracking_number
    from {{ ref('int_ledger__erp_dispatches') }} as dispatches
    inner join {{ ref('int_matching__order_pairs') }} as pairs
        on
            dispatches.erp_code = pairs.erp_code
            and dispatches.erp_order_id = pairs.erp_order_id
    group by pairs.marketplace_code, pairs.order_id, dispatches.dispatch_no

),

dispatches as (

    select
        marketplace_code,
        order_id,
        {{ ordered_list('dispatch_no', "','", 'dispatch_no') }} as dispatch_nos,
        min(dispatch_date) as dispatch_date,
        min(carrier_name) as carrier_name,
        {{ ordered_list('tracking_number', "','", 'dispatch_no') }} as tracking_numbers
    from dispatch_documents
    group by marketplace_code, order_id

),

refunds as (

    select
        marketplace_code,
        order_id,
        {{ ordered_list('refund_id', "','", 'refund_id') }} as refund_ids,
        max(case when refund_state = 'REFUNDED' then 0 else 1 end) as has_waiting,
        max(created_at) as refunded_at
    from {{ ref('int_ledger__refunds') }}
    group by marketplace_code, order_id

),

credits as (

    select
        marketplace_code,
        order_id,
        {{ ordered_list('document_no', "','", 'document_no') }} as credit_note_nos,
        cast(sum(gross_amount) as decimal(18, 2)) as credited_amount
    from {{ ref('int_matching__credit_notes') }}
    where order_id is not null
    group by marketplace_code, order_id

),

-- The subjects of every difference about an order; the exception may be another subject, the root of it.
differences as (

    {% for mart in [
        'rec_orders', 'rec_settlement_lines', 'rec_refunds', 'rec_dispatches', 'rec_sale_taxes', 'rec_receivables',
    ] -%}
    select
        marketplace_code,
        order_id,
        coalesce(root_subject_type, subject_type) as subject_type,
        coalesce(root_subject_id, subject_id) as subject_id
    from {{ ref(mart) }}
    where status = 'EXCEPTION' and order_id is not null
    {{ 'union' if not loop.last }}
    {% endfor %}
),

troubles as (

    select
        differences.marketplace_code,
        differences.order_id,
        count(*) as open_count,
        max(case when exceptions.exception_code = 'CRN-001' then 1 else 0 end) as is_unrefunded,
        {{ ordered_list('exceptions.exception_code', "','", 'exceptions.exception_code, exceptions.exception_id') }}
            as codes,
        {{ ordered_list(
            "exceptions.exception_code || ': ' || exceptions.summary", "'; '",
            'exceptions.exception_code, exceptions.exception_id'
        ) }} as texts
    from differences
    inner join {{ ref('exceptions') }} as exceptions
        on
            differences.marketplace_code = exceptions.marketplace_code
            and differences.subject_type = exceptions.subject_type
            and differences.subject_id = exceptions.subject_id
    where exceptions.status in ('OPEN', 'IN_PROGRESS', 'INFORMATION')
    group by differences.marketplace_code, differences.order_id

),

-- An order with an open incident is not paid out: its lines wait.
held as (

    select
        settlement_lines.marketplace_code,
        settlement_lines.order_id,
        sum(settlement_lines.amount) as held_amount
    from {{ ref('int_ledger__settlement_lines') }} as settlement_lines
    inner join orders
        on
            settlement_lines.marketplace_code = orders.marketplace_code
            and settlement_lines.order_id = orders.order_id
            and orders.has_incident
    where settlement_lines.payment_state = 'PENDING'
    group by settlement_lines.marketplace_code, settlement_lines.order_id

),

joined as (

    select
        orders.*,
        coalesce(held.held_amount, 0) as held_amount,
        cash.invoice_no,
        cash.invoice_date,
        cash.settled_date,
        cash.received_date,
        cash.stage,
        coalesce(cash.net_settled_amount, 0) as net_settled_amount,
        dispatches.dispatch_nos,
        dispatches.dispatch_date,
        coalesce(tracked.carrier_name, dispatches.carrier_name) as carrier_name,
        coalesce(tracked.tracking_numbers, dispatches.tracking_numbers) as tracking_numbers,
        dispatches.tracking_numbers as dispatched_numbers,
        refunds.refund_ids,
        coalesce(refunds.has_waiting, 0) = 1 as has_waiting_refund,
        refunds.refunded_at,
        credits.credit_note_nos,
        coalesce(credits.credited_amount, 0) as credited_amount,
        coalesce(troubles.open_count, 0) as open_count,
        coalesce(troubles.is_unrefunded, 0) = 1 as is_customer_not_yet_refunded,
        troubles.codes,
        troubles.texts,
        lines.due_amount,
        lines.skus,
        lines.line_ids
    from orders
    left join cash
        on
            orders.marketplace_code = cash.marketplace_code
            and orders.order_id = cash.order_id
    left join lines
        on
            orders.marketplace_code = lines.marketplace_code
            and orders.order_id = lines.order_id
    left join tracked
        on
            orders.marketplace_code = tracked.marketplace_code
            and orders.order_id = tracked.order_id
    left join dispatches
        on
            orders.marketplace_code = dispatches.marketplace_code
            and orders.order_id = dispatches.order_id
    left join refunds
        on
            orders.marketplace_code = refunds.marketplace_code
            and orders.order_id = refunds.order_id
    left join credits
        on
            orders.marketplace_code = credits.marketplace_code
            and orders.order_id = credits.order_id
    left join troubles
        on
            orders.marketplace_code = troubles.marketplace_code
            and orders.order_id = troubles.order_id
    left join held
        on
            orders.marketplace_code = held.marketplace_code
            and orders.order_id = held.order_id

),

final as (

    select
        joined.marketplace_code,
        joined.entity_code,
        joined.shop_id,
        joined.order_id,
        joined.commercial_id,
        joined.order_date,
        joined.order_state,
        joined.currency_code,
        joined.total_amount,
        joined.skus,
        case joined.order_state
            when 'STAGING' then 'being checked by the marketplace'
            when 'WAITING_ACCEPTANCE' then 'waiting to be accepted'
            when 'WAITING_DEBIT' then 'accepted, waiting for the payment'
            when 'WAITING_DEBIT_PAYMENT' then 'accepted, waiting for the payment'
            when 'SHIPPING' then 'paid, to be sent by ' || cast(cast(joined.shipping_deadline_at as date) as varchar)
            when 'SHIPPED'
                then 'on its way since ' || coalesce(cast(cast(joined.shipped_at as date) as varchar), 'an unknown day')
            when 'TO_COLLECT' then 'waiting to be collected'
            when 'RECEIVED' then 'delivered'
            when 'CLOSED' then 'delivered and closed'
            when 'REFUSED' then 'refused'
            when 'CANCELED' then 'cancelled'
            else 'in state ' || joined.order_state
        end as marketplace_status,
        case
            when joined.erp_code is null then 'not kept in our books'
            when joined.erp_document_no is null and joined.is_excluded then 'older than our books'
            when joined.erp_document_no is null then 'not in the books'
            else 'order ' || joined.erp_document_no || case joined.erp_status
                when 'DRAFT' then ', a draft'
                when 'LIVE' then ', open'
                when 'ON_HOLD' then ', on hold'
                when 'PART_DESPATCHED' then ', sent in part'
                when 'DESPATCHED' then ', sent'
                when 'INVOICED' then ', sent and invoiced'
                when 'CANCELLED' then ', cancelled'
                else ''
            end
        end as erp_status,
        joined.erp_document_no,
        joined.invoice_no,
        joined.invoice_date,
        joined.dispatch_nos,
        joined.dispatch_date,
        joined.shipped_at,
        joined.carrier_name,
        joined.tracking_numbers,
        case
            when joined.refunded_amount > 0 and joined.has_waiting_refund then 'refund promised, not yet paid'
            when joined.refunded_amount > 0 and joined.refunded_amount >= joined.due_amount
                then 'refunded in full'
            when joined.refunded_amount > 0 then 'refunded in part'
            when joined.is_customer_not_yet_refunded then 'customer not yet refunded'
            else 'no refund'
        end as refund_status,
        joined.refunded_amount,
        joined.refunded_at,
        joined.credited_amount,
        joined.credit_note_nos,
        joined.is_customer_not_yet_refunded,
        case joined.stage
            when 'EXCLUDED' then 'before our books began'
            when 'NOTHING_DUE' then 'nothing to settle'
            when 'NOT_INVOICED' then 'not invoiced yet'
            when 'NOT_SETTLED' then 'invoiced, not settled by the marketplace yet'
            when 'NOT_RECEIVED' then 'settled, money on its way'
            when 'PARTLY_SETTLED' then 'settled in part'
            when 'RECEIVED' then 'settled and paid'
            else 'not followed in our books'
        end as settlement_status,
        joined.settled_date,
        joined.received_date,
        cast(joined.net_settled_amount as decimal(18, 2)) as net_settled_amount,
        joined.has_incident,
        cast(joined.held_amount as decimal(18, 2)) as held_amount,
        cast(joined.open_count as integer) as open_exception_count,
        joined.codes as open_exception_codes,
        joined.texts as open_exceptions,
        upper(
            joined.order_id
            {%- for ids in [
                'commercial_id', 'erp_document_no', 'invoice_no', 'dispatch_nos', 'tracking_numbers',
                'dispatched_numbers', 'refund_ids', 'credit_note_nos', 'line_ids'
            ] %}
            || coalesce(',' || joined.{{ ids }}, '')
            {%- endfor %}
        ) as search_ids
    from joined

)

select * from final

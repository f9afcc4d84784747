-- One row per order of a marketplace with books in an ERP: was it sent, and do both sides know it? Differences of single lines are
-- int_matching__dispatch_lines's. confirm_due_at: until then the news of a despatch may still be on its way to the other side.
-- A marketplace without parcels cannot be told of a part: an order despatched in part waits for the rest.

with orders as (
    select * from {{ ref('int_ledger__orders') }}
),

marketplaces as (
    select * from {{ ref('int_ledger__marketplaces') }}
    where has_books
),

pairs as (
    select * from {{ ref('int_matching__order_pairs') }}
),

erp_orders as (
    select * from {{ ref('int_ledger__erp_orders') }}
),

line_sums as (
    select
        marketplace_code,
        order_id,
        cast(sum(due_quantity) as decimal(18, 4)) as due_quantity,
        cast(sum(shipped_quantity) as decimal(18, 4)) as shipped_quantity,
        cast(sum(despatched_quantity) as decimal(18, 4)) as despatched_quantity,
        {{ money('sum(due_amount)') }} as due_amount,
        {{ money('sum(shipped_amount)') }} as shipped_amount,
        {{ money('sum(despatched_amount)') }} as despatched_amount,
        max(shipped_at) as shipped_at
    from {{ ref('int_matching__dispatch_lines') }}
    group by marketplace_code, order_id
),

-- The order's own last change is later than its despatch once something else has happened to it.
saved as (
    select
        erp_code,
        erp_order_id,
        max(saved_at) as saved_at
    from {{ ref('int_ledger__erp_dispatches') }}
    group by erp_code, erp_order_id
),

joined as (
    select
        orders.marketplace_code,
        orders.entity_code,
        orders.order_id,
        orders.order_state,
        orders.currency_code,
        orders.shipping_deadline_at,
        orders.is_excluded,
        orders.order_state in ('CANCELED', 'REFUSED') as is_order_cancelled,
        pairs.erp_order_id is not null as is_in_erp,
        pairs.document_no,
        line_sums.due_quantity,
        line_sums.shipped_quantity,
        line_sums.despatched_quantity,
        line_sums.due_amount,
        line_sums.shipped_amount,
        line_sums.despatched_amount,
        line_sums.shipped_at,
        saved.saved_at,
        {{ add_minutes(
            'coalesce(saved.saved_at, erp_orders.updated_at, erp_orders.created_at)',
            'marketplaces.dispatch_confirm_minutes'
        ) }} as confirm_due_at,
        {{ add_minutes('line_sums.shipped_at', 'marketplaces.order_import_minutes') }} as record_due_at,
        {{ add_minutes('orders.shipping_deadline_at', '-60 * marketplaces.dispatch_risk_hours') }} as risk_at
    from orders
    inner join marketplaces
        on orders.marketplace_code = marketplaces.marketplace_code
    inner join line_sums
        on
            orders.marketplace_code = line_sums.marketplace_code
            and orders.order_id = line_sums.order_id
    left join pairs
        on
            orders.marketplace_code = pairs.marketplace_code
            and orders.order_id = pairs.order_id
    left join erp_orders
        on
            pairs.erp_code = erp_orders.erp_code
            and pairs.erp_order_id = erp_orders.erp_order_id
    left join saved
        on
            pairs.erp_code = saved.erp_code
            and pairs.erp_order_id = saved.erp_order_id
),

judged as (
    select
        joined.*,
        case
            when joined.is_excluded then 'EXCLUDED'
            when joined.is_order_cancelled and joined.despatched_quantity > 0 then 'DSP-006'
            when joined.is_order_cancelled then 'EXCLUDED'
            when joined.shipped_quantity > 0 and joined.despatched_quantity > 0 then 'MATCHED'
            when joined.shipped_quantity > 0 then 'DSP-002'
            when joined.despatched_quantity > 0 and joined.despatched_quantity >= joined.due_quantity then 'DSP-001'
            else 'TIMING'
        end as verdict
    from joined
),

final as (
    select
        judged.marketplace_code,
        judged.entity_code,
        judged.order_id,
        judged.order_state,
        judged.document_no,
        judged.currency_code,
        judged.shipping_deadline_at,
        judged.risk_at,
        judged.is_in_erp,
        judged.is_excluded,
        judged.shipped_at,
        judged.saved_at,
        judged.due_quantity,
        judged.shipped_quantity,
        judged.despatched_quantity,
        judged.due_amount,
        judged.shipped_amount,
        judged.despatched_amount,
        case
            when judged.verdict in ('EXCLUDED', 'MATCHED', 'TIMING') then judged.verdict
            when judged.verdict = 'DSP-001' and {{ as_of() }} <= judged.confirm_due_at then 'TIMING'
            when judged.verdict = 'DSP-002' and {{ as_of() }} <= judged.record_due_at then 'TIMING'
            else 'EXCEPTION'
        end as status,
        case when judged.verdict like 'DSP%' then judged.verdict end as verdict_code,
        case judged.verdict
            when 'DSP-001' then judged.confirm_due_at
            when 'DSP-002' then judged.record_due_at
            when 'TIMING' then judged.shipping_deadline_at
        end as due_at,
        -- Sent on neither side, though it may be: the deadline counts.
        judged.verdict = 'TIMING' and judged.order_state = 'SHIPPING' as is_waiting
    from judged
)

select * from final

-- Grain: marketplace × cut-off test × subject, for what happened within three days of a month's end: the month in which it happened
-- beside the month in which the books have it. SALES: despatch and invoice. REFUNDS: refund and credit note. FEES: despatch and fee,
-- after the month's accrual. RECEIPTS: value date and posting. TRANSIT: pay-outs that arrived in a later month than they left in, or
-- not yet: they stand in clearing at the month's end, which is no error. Amounts positive, in the document's currency.
with

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}
    where has_books

),

dispatches as (

    select
        pairs.marketplace_code,
        pairs.order_id,
        min(dispatched.dispatch_date) as event_date
    from {{ ref('int_matching__order_pairs') }} as pairs
    inner join (
        select
            lines.erp_code,
            lines.erp_order_id,
            min(lines.dispatch_date) as dispatch_date
        from {{ ref('int_ledger__erp_dispatches') }} as lines
        group by lines.erp_code, lines.erp_order_id
    ) as dispatched
        on
            pairs.erp_code = dispatched.erp_code
            and pairs.erp_order_id = dispatched.erp_order_id
    where not pairs.is_excluded
    group by pairs.marketplace_code, pairs.order_id

),

sales as (

    select
        dispatches.marketplace_code,
        'SALES' as test_code,
        'ORDER' as subject_type,
        dispatches.order_id as subject_id,
        dispatches.event_date,
        cash.invoice_date as booked_date,
        cash.invoice_no as document_no,
        case when cash.invoice_date is null then cash.ordered_amount else cash.invoiced_amount end as amount,
        cash.currency_code
    from dispatches
    inner join {{ ref('sales_to_cash') }} as cash
        on
            dispatches.marketplace_code = cash.marketplace_code
            and dispatches.order_id = cash.order_id

),

credited as (

    select
        marketplace_code,
        refund_id,
        min(transaction_date) as booked_date,
        min(document_no) as document_no
    from {{ ref('int_matching__credit_notes') }}
    where refund_id is not null
    group by marketplace_code, refund_id

),

refunds as (

    select
        refunds.marketplace_code,
        'REFUNDS' as test_code,
        'REFUND' as subject_type,
        refunds.refund_id as subject_id,
        {{ local_date('refunds.created_at', 'marketplaces.time_zone') }} as event_date,
        credited.booked_date,
        credited.document_no,
        cast(refunds.amount + refunds.shipping_amount as decimal(18, 2)) as amount,
        refunds.currency_code
    from {{ ref('int_ledger__refunds') }} as refunds
    inner join marketplaces
        on
            refunds.marketplace_code = marketplaces.marketplace_code
            and marketplaces.posting_model = 'ORDER_LED'
    left join credited
        on
            refunds.marketplace_code = credited.marketplace_code
            and refunds.refund_id = credited.refund_id

),

accrued_months as (

    select
        marketplace_code,
        period,
        max(posting_date) as accrual_date
    from {{ ref('int_accounting__journals') }}
    where kind in ('FEE_ACCRUAL', 'UNBILLED_ACCRUAL') and not is_excluded and not is_blocked
    group by marketplace_code, period

),

dated as (

    select
        order_lines.marketplace_code,
        order_lines.order_line_id,
        {{ local_date('order_lines.shipped_at', 'marketplaces.time_zone') }} as event_date,
        cast(order_lines.commission_amount - order_lines.cancelled_commission_amount as decimal(18, 2)) as amount,
        order_lines.currency_code
    from {{ ref('int_ledger__order_lines') }} as order_lines
    inner join marketplaces
        on order_lines.marketplace_code = marketplaces.marketplace_code
    inner join {{ ref('int_ledger__orders') }} as orders
        on
            order_lines.marketplace_code = orders.marketplace_code
            and order_lines.order_id = orders.order_id
    where
        order_lines.shipped_at is not null
        and not orders.is_excluded
        and order_lines.commission_amount <> order_lines.cancelled_commission_amount

),

shipped as (

    -- Few days of a month count, and few lines of those are worth a look into the settlement.
    select dated.*
    from dated
    where
        {{ days_between(month_start('dated.event_date'), 'dated.event_date') }} < 3
        or {{ days_between('dated.event_date', month_end('dated.event_date')) }} < 3

),

commissions as (

    select
        lines.marketplace_code,
        lines.order_line_id,
        min(cycles.cycle_date) as cycle_date
    from {{ ref('int_matching__transaction_lines') }} as lines
    inner join shipped
        on
            lines.marketplace_code = shipped.marketplace_code
            and lines.order_line_id = shipped.order_line_id
    inner join {{ ref('int_matching__cycles') }} as cycles
        on
            lines.marketplace_code = cycles.marketplace_code
            and lines.billing_cycle_id = cycles.billing_cycle_id
    where lines.component = 'COMMISSION'
    group by lines.marketplace_code, lines.order_line_id

),

fees as (

    select
        shipped.marketplace_code,
        'FEES' as test_code,
        'ORDER_LINE' as subject_type,
        shipped.order_line_id as subject_id,
        shipped.event_date,
        -- What another month settles is booked in its own by the accrual.
        case
            when {{ period_of('commissions.cycle_date') }} = {{ period_of('shipped.event_date') }}
                then commissions.cycle_date
            else coalesce(accrued_months.accrual_date, commissions.cycle_date)
        end as booked_date,
        cast(null as varchar) as document_no,
        shipped.amount,
        shipped.currency_code
    from shipped
    left join commissions
        on
            shipped.marketplace_code = commissions.marketplace_code
            and shipped.order_line_id = commissions.order_line_id
    left join accrued_months
        on
            shipped.marketplace_code = accrued_months.marketplace_code
            and {{ period_of('shipped.event_date') }} = accrued_months.period

),

receipts as (

    select
        states.marketplace_code,
        'RECEIPTS' as test_code,
        'RECEIPT' as subject_type,
        states.receipt_id as subject_id,
        states.posting_date as event_date,
        case
            when states.first_period = states.period then states.posting_date
            else cast(states.first_period || '-01' as date)
        end as booked_date,
        states.erp_document_id as document_no,
        states.total_debit as amount,
        states.currency_code
    from {{ ref('int_matching__journal_states') }} as states
    where states.receipt_id is not null and not states.is_excluded and states.version = 1

),

transits as (

    select
        cycles.marketplace_code,
        'TRANSIT' as test_code,
        'PAYOUT' as subject_type,
        cycles.billing_cycle_id as subject_id,
        cycles.pay_out_date as event_date,
        received.value_date as booked_date,
        cycles.voucher_number as document_no,
        cycles.payout_amount as amount,
        cycles.currency_code
    from {{ ref('fct_cycles') }} as cycles
    inner join marketplaces
        on cycles.marketplace_code = marketplaces.marketplace_code
    left join (
        select
            marketplace_code,
            billing_cycle_id,
            max(value_date) as value_date
        from {{ ref('fct_receipt_allocations') }}
        group by marketplace_code, billing_cycle_id
    ) as received
        on
            cycles.marketplace_code = received.marketplace_code
            and cycles.billing_cycle_id = received.billing_cycle_id
    where
        cycles.payout_amount > 0
        and cycles.cycle_date >= marketplaces.go_live_date
        and coalesce({{ period_of('received.value_date') }} <> {{ period_of('cycles.pay_out_date') }}, true)

),

unioned as (

    select * from sales
    union all
    select * from refunds
    union all
    select * from fees
    union all
    select * from receipts
    union all
    select * from transits

),

final as (

    select
        unioned.marketplace_code,
        marketplaces.entity_code,
        unioned.test_code,
        unioned.subject_type,
        unioned.subject_id,
        {{ period_of('unioned.event_date') }} as period,
        unioned.event_date,
        unioned.booked_date,
        {{ period_of('unioned.booked_date') }} as booked_period,
        unioned.document_no,
        cast(unioned.amount as decimal(18, 2)) as amount,
        unioned.currency_code,
        case
            when unioned.test_code = 'TRANSIT' then 'IN_TRANSIT'
            when
                unioned.booked_date is null
                and {{ period_of('unioned.event_date') }} = {{ period_of('marketplaces.as_of_date') }}
                then 'NOT_DUE'
            when unioned.booked_date is null then 'NOT_BOOKED'
            when {{ period_of('unioned.event_date') }} = {{ period_of('unioned.booked_date') }} then 'IN_PERIOD'
            else 'OTHER_PERIOD'
        end as result
    from unioned
    inner join marketplaces
        on unioned.marketplace_code = marketplaces.marketplace_code
    where
        unioned.event_date >= marketplaces.go_live_date
        and (
            {{ days_between(month_start('unioned.event_date'), 'unioned.event_date') }} < 3
            or {{ days_between('unioned.event_date', month_end('unioned.event_date')) }} < 3
        )

)

select * from final

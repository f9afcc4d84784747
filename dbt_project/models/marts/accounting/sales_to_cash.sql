-- Grain: marketplace order of a seller with books: ordered → invoiced → settled → received, when each happened and what is still open.
-- Amounts in the order's currency, tax included, from the seller's view: fees negative. An order is received when the pay-outs of
-- all its cycles have arrived; until then its net stays open.
with

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}
    where has_books

),

orders as (

    select * from {{ ref('fct_orders') }}

),

-- The marketplace takes cancelled lines out of an order's total, but leaves them in their own.
order_lines as (

    select
        marketplace_code,
        order_id,
        cast(sum(total_amount - cancelled_amount - cancelled_shipping_amount) as decimal(18, 2)) as ordered_amount
    from {{ ref('int_ledger__order_lines') }}
    group by marketplace_code, order_id

),

erp_orders as (

    select
        erp_code,
        document_no,
        min(order_reference) as order_reference
    from {{ ref('int_ledger__erp_orders') }}
    where document_no is not null and not is_draft
    group by erp_code, document_no

),

-- An invoice of the order desk names the ERP's order, or the marketplace's where that is what the ERP keeps.
invoices as (

    select
        marketplaces.marketplace_code,
        coalesce(erp_orders.order_reference, transactions.second_reference) as order_id,
        cast(sum(transactions.amount) as decimal(18, 2)) as invoiced_amount,
        min(transactions.transaction_date) as invoice_date,
        min(transactions.reference) as invoice_no
    from {{ ref('int_ledger__erp_customer_transactions') }} as transactions
    inner join marketplaces
        on
            transactions.erp_code = marketplaces.erp_code
            and transactions.customer_reference = marketplaces.customer_reference
    left join erp_orders
        on
            transactions.erp_code = erp_orders.erp_code
            and transactions.second_reference = erp_orders.document_no
    where transactions.kind = 'INVOICE'
    group by marketplaces.marketplace_code, coalesce(erp_orders.order_reference, transactions.second_reference)

),

credits as (

    select
        notes.marketplace_code,
        notes.order_id,
        cast(sum(notes.gross_amount) as decimal(18, 2)) as credited_amount
    from {{ ref('int_matching__credit_notes') }} as notes
    where notes.order_id is not null
    group by notes.marketplace_code, notes.order_id

),

arrivals as (

    select
        decided.marketplace_code,
        decided.billing_cycle_id,
        sum(decided.cleared_amount) as cleared_amount,
        max(receipts.value_date) as received_date
    from {{ ref('int_matching__receipts_decided') }} as decided
    inner join {{ ref('int_matching__receipts') }} as receipts
        on decided.receipt_id = receipts.receipt_id
    where decided.is_decided
    group by decided.marketplace_code, decided.billing_cycle_id

),

-- The pay-out of a cycle may come with a later one; a cycle that nothing pays is received by nobody yet.
cycles as (

    select
        cycles.marketplace_code,
        cycles.billing_cycle_id,
        cycles.cycle_date,
        arrivals.received_date,
        coalesce(arrivals.cleared_amount >= paying.payout_amount, false) as is_received
    from {{ ref('int_matching__cycles') }} as cycles
    left join {{ ref('int_matching__cycles') }} as paying
        on
            cycles.marketplace_code = paying.marketplace_code
            and cycles.paying_cycle_id = paying.billing_cycle_id
    left join arrivals
        on
            paying.marketplace_code = arrivals.marketplace_code
            and paying.billing_cycle_id = arrivals.billing_cycle_id

),

settled as (

    select
        lines.marketplace_code,
        lines.order_id,
        sum(
            case
                when lines.account_role = 'AR_MARKETPLACE' and lines.billing_cycle_id is not null then lines.amount
                else 0
            end
        ) as settled_amount,
        sum(
            case
                when lines.account_role <> 'AR_MARKETPLACE' and lines.billing_cycle_id is not null then lines.amount
                else 0
            end
        ) as fee_amount,
        sum(case when lines.billing_cycle_id is null then lines.amount else 0 end) as waiting_amount,
        sum(case when cycles.is_received then lines.amount else 0 end) as received_amount,
        min(cycles.cycle_date) as settled_date,
        max(cycles.received_date) as received_date
    from {{ ref('int_matching__transaction_lines') }} as lines
    left join cycles
        on
            lines.marketplace_code = cycles.marketplace_code
            and lines.billing_cycle_id = cycles.billing_cycle_id
    where lines.order_id is not null and lines.is_in_net
    group by lines.marketplace_code, lines.order_id

),

joined as (

    select
        orders.marketplace_code,
        orders.entity_code,
        orders.order_id,
        orders.commercial_id,
        orders.order_state,
        orders.order_date,
        orders.currency_code,
        orders.is_excluded,
        orders.erp_document_no,
        invoices.invoice_no,
        invoices.invoice_date,
        settled.settled_date,
        -- Money that has come in part has not arrived yet.
        case
            when settled.received_amount = settled.settled_amount + settled.fee_amount then settled.received_date
        end as received_date,
        coalesce(order_lines.ordered_amount, orders.total_amount) as ordered_amount,
        cast(coalesce(invoices.invoiced_amount, 0) as decimal(18, 2)) as invoiced_amount,
        cast(coalesce(credits.credited_amount, 0) as decimal(18, 2)) as credited_amount,
        cast(coalesce(settled.settled_amount, 0) as decimal(18, 2)) as settled_amount,
        cast(coalesce(settled.fee_amount, 0) as decimal(18, 2)) as fee_amount,
        cast(coalesce(settled.settled_amount, 0) + coalesce(settled.fee_amount, 0) as decimal(18, 2))
            as net_settled_amount,
        cast(coalesce(settled.waiting_amount, 0) as decimal(18, 2)) as waiting_amount,
        cast(coalesce(settled.received_amount, 0) as decimal(18, 2)) as received_amount
    from orders
    inner join marketplaces
        on orders.marketplace_code = marketplaces.marketplace_code
    left join order_lines
        on
            orders.marketplace_code = order_lines.marketplace_code
            and orders.order_id = order_lines.order_id
    left join invoices
        on
            orders.marketplace_code = invoices.marketplace_code
            and orders.order_id = invoices.order_id
    left join credits
        on
            orders.marketplace_code = credits.marketplace_code
            and orders.order_id = credits.order_id
    left join settled
        on
            orders.marketplace_code = settled.marketplace_code
            and orders.order_id = settled.order_id

),

final as (

    select
        joined.marketplace_code,
        joined.entity_code,
        joined.order_id,
        joined.commercial_id,
        joined.order_state,
        joined.currency_code,
        joined.erp_document_no,
        joined.invoice_no,
        joined.order_date,
        joined.invoice_date,
        joined.settled_date,
        joined.received_date,
        cast({{ days_between('joined.order_date', 'joined.invoice_date') }} as integer) as order_to_invoice_days,
        cast({{ days_between('joined.invoice_date', 'joined.settled_date') }} as integer) as invoice_to_settled_days,
        cast({{ days_between('joined.settled_date', 'joined.received_date') }} as integer) as settled_to_received_days,
        cast({{ days_between('joined.order_date', 'joined.received_date') }} as integer) as order_to_received_days,
        joined.ordered_amount,
        joined.invoiced_amount,
        joined.credited_amount,
        joined.settled_amount,
        joined.fee_amount,
        joined.net_settled_amount,
        joined.received_amount,
        joined.waiting_amount,
        cast(joined.invoiced_amount - joined.credited_amount - joined.settled_amount as decimal(18, 2))
            as receivable_amount,
        cast(joined.net_settled_amount - joined.received_amount as decimal(18, 2)) as in_transit_amount,
        case
            when joined.is_excluded then 'EXCLUDED'
            when joined.ordered_amount = 0 and joined.invoiced_amount = 0 and joined.settled_amount = 0
                then 'NOTHING_DUE'
            when joined.invoiced_amount = 0 and joined.net_settled_amount = 0 then 'NOT_INVOICED'
            when joined.net_settled_amount = 0 and joined.settled_date is null then 'NOT_SETTLED'
            when joined.net_settled_amount <> joined.received_amount then 'NOT_RECEIVED'
            when joined.invoiced_amount - joined.credited_amount - joined.settled_amount <> 0 then 'PARTLY_SETTLED'
            else 'RECEIVED'
        end as stage
    from joined

)

select * from final

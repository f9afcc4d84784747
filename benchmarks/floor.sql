-- The floor: what a careful person would write in DuckDB, without Tieout, to reconcile one seller's settlements with orders and books.
-- It reads Tieout's raw tables (attached as `source`) and writes its statuses into a file of its own.
--
-- What it leaves out: everything but these eight questions. No due dates (what is not settled is open, not late), contracts, VAT, fee rules,
-- tolerances, currencies, taxes that the marketplace collects, returns, stock, despatches; no bank receipts; no journals (it reads those that are
-- there); no exceptions with causes, owners and histories; no profitability; no quarantine (a bad amount ends it), no tests, no
-- names of files behind a figure. One account per seller, in books of Sage 200.

-- 1. The newest version of each transaction line.
create table lines as
select
    _account as marketplace_code, id, type, cast(amount as decimal(18, 2)) as amount, currency_iso_code as currency_code,
    nullif(seller_billing_cycle_id, '') as billing_cycle_id, order_id, order_line_id, refund_id, payment_state
from source.raw.mirakl_transaction_lines
qualify row_number() over (
    partition by _account, id order by last_updated desc, _fetched_at desc, _file desc, _position desc
) = 1;

-- 2. The newest version of each order, with its lines and what was cancelled of them.
create table orders as
select
    _account as marketplace_code, order_id, order_state, cast(total_price as decimal(18, 2)) as total_amount,
    _file, _position
from source.raw.mirakl_orders
qualify row_number() over (
    partition by _account, order_id order by last_updated_date desc, _fetched_at desc, _file desc, _position desc
) = 1;

create table cancelled as
select
    _account as marketplace_code, _file, _position, order_line_id,
    sum(cast(amount as decimal(18, 2))) as goods_amount,
    sum(cast(shipping_amount as decimal(18, 2))) as shipping_amount,
    sum(cast(commission_amount as decimal(18, 2))) as commission_amount
from source.raw.mirakl_order_line_cancelations
group by all;

create table order_lines as
select
    orders.marketplace_code, orders.order_id, rows.order_line_id,
    cast(rows.price as decimal(18, 2)) - coalesce(cancelled.goods_amount, 0) as goods_amount,
    cast(rows.shipping_price as decimal(18, 2)) - coalesce(cancelled.shipping_amount, 0) as shipping_amount,
    cast(rows.commission_fee as decimal(18, 2)) - coalesce(cancelled.commission_amount, 0) as commission_amount
from orders
inner join source.raw.mirakl_order_lines as rows
    on orders.marketplace_code = rows._account and orders._file = rows._file and orders._position = rows._position
left join cancelled
    on
        orders.marketplace_code = cancelled.marketplace_code
        and orders._file = cancelled._file
        and orders._position = cancelled._position
        and rows.order_line_id = cancelled.order_line_id;

-- 3. What each order line was settled at.
create table settled as
select
    marketplace_code, order_line_id,
    coalesce(sum(amount) filter (type in ('ORDER_AMOUNT', 'ORDER_AMOUNT_TAX')), 0) as goods_amount,
    coalesce(sum(amount) filter (type in ('ORDER_SHIPPING_AMOUNT', 'ORDER_SHIPPING_AMOUNT_TAX')), 0) as shipping_amount,
    coalesce(-sum(amount) filter (type = 'COMMISSION_FEE'), 0) as commission_amount,
    bool_and(payment_state = 'PAID') filter (type = 'ORDER_AMOUNT') as is_paid
from lines
where order_line_id is not null and refund_id is null
group by all;

-- 4. Each order line against its transaction lines, per kind of money.
create table line_statuses as
select
    order_lines.marketplace_code, order_lines.order_line_id, kind,
    case when expected = actual then 'MATCHED' else 'EXCEPTION' end as status,
    expected, actual
from order_lines
inner join settled using (marketplace_code, order_line_id)
cross join lateral (
    values
    ('B030_GOODS', order_lines.goods_amount, settled.goods_amount),
    ('B040_SHIPPING', order_lines.shipping_amount, settled.shipping_amount),
    ('B050_COMMISSION', -order_lines.commission_amount, -settled.commission_amount)
) as kinds (kind, expected, actual);

-- 5. Refunds against their transaction lines.
create table refund_statuses as
select
    refunds.*,
    case when expected = actual then 'MATCHED' else 'EXCEPTION' end as status
from (
    select
        orders.marketplace_code, rows.refund_id,
        -cast(rows.amount as decimal(18, 2)) - cast(rows.shipping_amount as decimal(18, 2)) as expected,
        given.actual
    from orders
    inner join source.raw.mirakl_order_line_refunds as rows
        on orders.marketplace_code = rows._account and orders._file = rows._file and orders._position = rows._position
    inner join (
        select marketplace_code, refund_id, sum(amount) as actual
        from lines
        where type in (
            'REFUND_ORDER_AMOUNT', 'REFUND_ORDER_AMOUNT_TAX', 'REFUND_ORDER_SHIPPING_AMOUNT', 'REFUND_ORDER_SHIPPING_AMOUNT_TAX'
        )
        group by all
    ) as given
        on orders.marketplace_code = given.marketplace_code and rows.refund_id = given.refund_id
) as refunds;

-- 6. Pay-outs: the payment among a cycle's lines against what the cycle says was transferred, and what the cycle earned.
create table payout_statuses as
select
    cycles.marketplace_code, cycles.billing_cycle_id, cycles.created_at, sums.earned_amount, sums.actual, cycles.expected,
    case when cycles.expected = sums.actual then 'MATCHED' else 'EXCEPTION' end as status
from (
    select
        _account as marketplace_code, id as billing_cycle_id, cast(date_created as timestamptz) as created_at,
        cast(amount_transferred_to_seller as decimal(18, 2)) as expected
    from source.raw.mirakl_billing_cycles
    qualify row_number() over (partition by _account, id order by _fetched_at desc, _file desc, _position desc) = 1
) as cycles
inner join (
    select
        marketplace_code, billing_cycle_id,
        coalesce(sum(amount) filter (type <> 'PAYMENT'), 0) as earned_amount,
        coalesce(-sum(amount) filter (type = 'PAYMENT'), 0) as actual
    from lines
    where billing_cycle_id is not null
    group by all
) as sums using (marketplace_code, billing_cycle_id);

-- 7. Orders against the ERP's.
create table order_statuses as
select
    orders.marketplace_code, orders.order_id, orders.total_amount as expected, booked.document_count,
    case
        when booked.document_count is not null then 'MATCHED'
        when orders.order_state in ('CANCELED', 'REFUSED', 'WAITING_ACCEPTANCE', 'WAITING_DEBIT') then 'NOT_DUE'
        else 'OPEN'
    end as status
from orders
left join (
    select analysis_code_1 as marketplace_code, customer_document_no as order_id, count(distinct id) as document_count
    from source.raw.sage200_sop_orders
    group by all
) as booked using (marketplace_code, order_id);

-- 8. The books: what each cycle's settlement journal moved on the account of unpaid settlements, against what the cycle earned. The
-- journal of a cycle is found by the digest of its key, which its legs have as their reference.
create table postings as
select
    _account as erp_code, nominal_code_id, reference,
    cast(debit as decimal(18, 2)) - cast(credit as decimal(18, 2)) as net_amount
from source.raw.sage200_nominal_transactions
qualify row_number() over (partition by _account, id order by _fetched_at desc, _file desc, _position desc) = 1;

create table posted as
select
    payouts.marketplace_code, payouts.billing_cycle_id, payouts.earned_amount as expected, sum(postings.net_amount) as actual
from payout_statuses as payouts
inner join sellers using (marketplace_code)
inner join postings
    on
        sellers.erp_code = postings.erp_code
        and postings.reference = 'TO' || upper(substr(sha256(concat_ws(
            '|', sellers.entity_code, payouts.marketplace_code, 'SETTLEMENT', payouts.billing_cycle_id,
            strftime(timezone(sellers.time_zone, payouts.created_at), '%Y-%m'), '1'
        )), 1, 16))
inner join (
    select distinct _account as erp_code, id as nominal_code_id, reference as account_code
    from source.raw.sage200_nominal_codes
) as accounts
    on
        postings.erp_code = accounts.erp_code
        and postings.nominal_code_id = accounts.nominal_code_id
        and sellers.account_code = accounts.account_code
group by all;

-- The answers that the marts give as well.
create table answers as
select 'lines' as question, 'ALL' as status, count(*) as found, sum(amount) as expected, sum(amount) as actual from lines
union all
select kind, status, count(*), sum(expected), sum(actual) from line_statuses group by all
union all
select 'B080_REFUND', status, count(*), sum(expected), sum(actual) from refund_statuses group by all
union all
select 'C020_PAY_OUT', status, count(*), sum(expected), sum(actual) from payout_statuses group by all
union all
select 'ORDER_IN_ERP', status, count(*), sum(expected), sum(expected) from order_statuses where status = 'MATCHED' group by all
union all
select 'clearing', case when actual = expected then 'MATCHED' else 'EXCEPTION' end, count(*), sum(expected), sum(actual)
from posted group by all;

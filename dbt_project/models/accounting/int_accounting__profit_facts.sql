-- Grain: entity × scope × marketplace × period × cohort period × item × account role. Every posted amount of the profit and loss
-- accounts, brought to the item that it is about: by the lines of its document, exactly where they add up to it, else by largest
-- remainder. An empty item: nothing names one. The sum per role and period is the ledger's. cohort_period: the month of the
-- marketplace order, the posting's own where there is none. amount = credit - debit. Beside the ledger, in the month of the invoice:
-- account_role (UNITS) sold, (DISCOUNT) of the seller and (OPERATOR_FUNDED) part of the price, both without VAT.
{{ config(schema='accounting', materialized='table') }}

with

postings as (

    select * from {{ ref('int_accounting__profit_postings') }}

),

orders as {{ inlined() }} (

    select * from {{ ref('int_ledger__orders') }}

),

order_lines as {{ inlined() }} (

    select * from {{ ref('int_ledger__order_lines') }}

),

-- What a document's lines weigh. Costs: the quantity at the item's standard cost.
erp_order_items as (

    select
        erp_code,
        erp_order_id,
        item_code,
        cast(sum(case when net_amount > 0 then net_amount end) as decimal(18, 2)) as weight,
        max(tax_rate_percent) as rate_percent
    from {{ ref('int_ledger__erp_order_lines') }}
    where line_kind = 'ITEM'
    group by erp_code, erp_order_id, item_code

),

invoice_totals as (

    select
        erp_code,
        erp_order_id,
        sum(weight) as document_weight,
        count(*) as document_parts
    from erp_order_items
    where weight is not null
    group by erp_code, erp_order_id

),

dispatch_weights as (

    select
        dispatches.erp_code,
        dispatches.dispatch_no,
        dispatches.item_code,
        {{ money('sum(dispatches.quantity * coalesce(items.standard_cost, 1))') }} as weight
    from {{ ref('int_ledger__erp_dispatches') }} as dispatches
    left join {{ ref('int_ledger__items') }} as items
        on
            dispatches.erp_code = items.erp_code
            and dispatches.item_code = items.item_code
    group by dispatches.erp_code, dispatches.dispatch_no, dispatches.item_code

),

dispatch_totals as (

    select
        erp_code,
        dispatch_no,
        sum(weight) as document_weight,
        count(*) as document_parts
    from dispatch_weights
    where weight > 0
    group by erp_code, dispatch_no

),

order_weights as (

    select
        marketplace_code,
        order_id,
        item_code,
        cast(sum(price_amount - cancelled_amount) as decimal(18, 2)) as weight
    from order_lines
    where price_amount > cancelled_amount
    group by marketplace_code, order_id, item_code

),

order_totals as (

    select
        marketplace_code,
        order_id,
        sum(weight) as document_weight,
        count(*) as document_parts
    from order_weights
    where item_code is not null
    group by marketplace_code, order_id

),

-- ---- beside the ledger

invoiced_orders as (

    select
        entity_code,
        erp_code,
        erp_order_id,
        marketplace_code,
        order_id,
        min(period) as period
    from postings
    where source_kind = 'INVOICE' and scope = 'CHANNEL' and account_role = 'REVENUE_GOODS' and order_id is not null
    group by entity_code, erp_code, erp_order_id, marketplace_code, order_id

),

sold_lines as (

    select
        invoiced_orders.entity_code,
        invoiced_orders.marketplace_code,
        invoiced_orders.order_id,
        invoiced_orders.period,
        order_lines.item_code,
        order_lines.quantity - order_lines.cancelled_quantity as quantity,
        order_lines.discount_amount,
        order_lines.operator_funded_amount,
        case when orders.tax_mode = 'TAX_EXCLUDED' then 0 else coalesce(rates.rate_percent, 0) end as rate_percent
    from invoiced_orders
    inner join order_lines
        on
            invoiced_orders.marketplace_code = order_lines.marketplace_code
            and invoiced_orders.order_id = order_lines.order_id
    inner join orders
        on
            invoiced_orders.marketplace_code = orders.marketplace_code
            and invoiced_orders.order_id = orders.order_id
    left join erp_order_items as rates
        on
            invoiced_orders.erp_code = rates.erp_code
            and invoiced_orders.erp_order_id = rates.erp_order_id
            and order_lines.item_code = rates.item_code
    where not order_lines.is_cancelled

),

memo as (

    select
        entity_code,
        marketplace_code,
        period,
        order_id,
        item_code,
        '(UNITS)' as account_role,
        cast(quantity as decimal(18, 2)) as amount
    from sold_lines
    union all
    select
        entity_code,
        marketplace_code,
        period,
        order_id,
        item_code,
        '(DISCOUNT)' as account_role,
        cast(discount_amount - {{ tax_in_gross('discount_amount', 'rate_percent') }} as decimal(18, 2)) as amount
    from sold_lines
    where discount_amount <> 0
    union all
    select
        entity_code,
        marketplace_code,
        period,
        order_id,
        item_code,
        '(OPERATOR_FUNDED)' as account_role,
        cast(operator_funded_amount - {{ tax_in_gross('operator_funded_amount', 'rate_percent') }} as decimal(18, 2))
            as amount
    from sold_lines
    where operator_funded_amount <> 0

),

-- ---- documents of the ERP

weighed as (

    select
        postings.erp_code,
        postings.urn,
        postings.period,
        postings.account_role,
        postings.marketplace_code,
        postings.scope,
        postings.entity_code,
        postings.order_id,
        postings.amount,
        invoice_weights.item_code,
        invoice_weights.weight,
        invoice_totals.document_weight,
        invoice_totals.document_parts
    from postings
    inner join invoice_totals
        on
            postings.erp_code = invoice_totals.erp_code
            and postings.erp_order_id = invoice_totals.erp_order_id
    inner join erp_order_items as invoice_weights
        on
            postings.erp_code = invoice_weights.erp_code
            and postings.erp_order_id = invoice_weights.erp_order_id
    where postings.source_kind = 'INVOICE' and postings.scope = 'CHANNEL' and invoice_weights.weight is not null
    union all
    select
        postings.erp_code,
        postings.urn,
        postings.period,
        postings.account_role,
        postings.marketplace_code,
        postings.scope,
        postings.entity_code,
        postings.order_id,
        postings.amount,
        dispatch_weights.item_code,
        dispatch_weights.weight,
        dispatch_totals.document_weight,
        dispatch_totals.document_parts
    from postings
    inner join dispatch_totals
        on
            postings.erp_code = dispatch_totals.erp_code
            and postings.dispatch_no = dispatch_totals.dispatch_no
    inner join dispatch_weights
        on
            postings.erp_code = dispatch_weights.erp_code
            and postings.dispatch_no = dispatch_weights.dispatch_no
    where postings.source_kind = 'DISPATCH' and postings.scope = 'CHANNEL' and dispatch_weights.weight > 0
    union all
    select
        postings.erp_code,
        postings.urn,
        postings.period,
        postings.account_role,
        postings.marketplace_code,
        postings.scope,
        postings.entity_code,
        postings.order_id,
        postings.amount,
        named_lines.item_code,
        abs(postings.amount) as weight,
        abs(postings.amount) as document_weight,
        1 as document_parts
    from postings
    inner join order_lines as named_lines
        on
            postings.marketplace_code = named_lines.marketplace_code
            and postings.order_id = named_lines.order_id
            and postings.order_line_id = named_lines.order_line_id
    where
        postings.source_kind = 'CREDIT_NOTE'
        and postings.scope = 'CHANNEL'
        and named_lines.item_code is not null
        and postings.amount <> 0
    union all
    select
        postings.erp_code,
        postings.urn,
        postings.period,
        postings.account_role,
        postings.marketplace_code,
        postings.scope,
        postings.entity_code,
        postings.order_id,
        postings.amount,
        order_weights.item_code,
        order_weights.weight,
        order_totals.document_weight,
        order_totals.document_parts
    from postings
    inner join order_totals
        on
            postings.marketplace_code = order_totals.marketplace_code
            and postings.order_id = order_totals.order_id
    inner join order_weights
        on
            postings.marketplace_code = order_weights.marketplace_code
            and postings.order_id = order_weights.order_id
    left join order_lines as named_lines
        on
            postings.marketplace_code = named_lines.marketplace_code
            and postings.order_id = named_lines.order_id
            and postings.order_line_id = named_lines.order_line_id
    where
        postings.source_kind = 'CREDIT_NOTE'
        and postings.scope = 'CHANNEL'
        and named_lines.order_line_id is null
        and order_weights.item_code is not null

),

judged as (

    select
        weighed.*,
        weighed.document_parts = 1 or weighed.document_weight = abs(weighed.amount) as is_exact,
        case
            when weighed.document_parts = 1 then weighed.amount
            when weighed.amount < 0 then -weighed.weight
            else weighed.weight
        end as exact_amount
    from weighed

),

inexact as (

    select * from judged
    where not is_exact

),

allocated as (

    {{ largest_remainder(
        'inexact', ['erp_code', 'urn', 'period', 'account_role', 'marketplace_code'], 'amount', 'weight', ['item_code'],
        'document_weight'
    ) | indent(4) }}

),

without_parts as (

    select postings.*
    from postings
    left join invoice_totals
        on
            postings.source_kind = 'INVOICE'
            and postings.scope = 'CHANNEL'
            and postings.erp_code = invoice_totals.erp_code
            and postings.erp_order_id = invoice_totals.erp_order_id
    left join dispatch_totals
        on
            postings.source_kind = 'DISPATCH'
            and postings.scope = 'CHANNEL'
            and postings.erp_code = dispatch_totals.erp_code
            and postings.dispatch_no = dispatch_totals.dispatch_no
    left join order_lines as named_lines
        on
            postings.source_kind = 'CREDIT_NOTE'
            and postings.scope = 'CHANNEL'
            and postings.marketplace_code = named_lines.marketplace_code
            and postings.order_id = named_lines.order_id
            and postings.order_line_id = named_lines.order_line_id
    left join order_totals
        on
            postings.source_kind = 'CREDIT_NOTE'
            and postings.scope = 'CHANNEL'
            and postings.marketplace_code = order_totals.marketplace_code
            and postings.order_id = order_totals.order_id
    where
        postings.source_kind <> 'SETTLEMENT'
        and invoice_totals.erp_order_id is null
        and dispatch_totals.dispatch_no is null
        and (named_lines.item_code is null or postings.amount = 0)
        and (named_lines.order_line_id is not null or order_totals.order_id is null)

),

-- ---- settlement journals: the transaction lines that they book, and what was posted beside them

posted as (

    select
        entity_code,
        marketplace_code,
        document_id,
        account_role,
        period,
        cast(sum(amount) as decimal(18, 2)) as amount,
        min(period) over (partition by marketplace_code, document_id) as first_period
    from postings
    where source_kind = 'SETTLEMENT'
    group by entity_code, marketplace_code, document_id, account_role, period

),

booked_roles as (

    select
        roles.*,
        row_number() over (
            order by roles.entity_code, roles.marketplace_code, roles.document_id, roles.account_role
        ) as role_number
    from (
        select
            entity_code,
            marketplace_code,
            document_id,
            account_role,
            first_period
        from posted
        group by entity_code, marketplace_code, document_id, account_role, first_period
    ) as roles

),

item_lines as (

    select
        order_lines.marketplace_code,
        order_lines.order_id,
        order_lines.order_line_id,
        order_lines.item_code,
        {{ period_of('orders.order_date') }} as order_period
    from order_lines
    left join orders
        on
            order_lines.marketplace_code = orders.marketplace_code
            and order_lines.order_id = orders.order_id

),

-- The order is asked for only where no item is named: its fees are shared out over its items.
settled_sums as (

    select
        booked_roles.role_number,
        case when item_lines.item_code is null then lines.order_id end as order_id,
        item_lines.item_code,
        case when item_lines.item_code is not null then item_lines.order_period end as order_period,
        cast(sum(lines.amount) as decimal(18, 2)) as amount
    from {{ ref('int_matching__transaction_lines') }} as lines
    inner join booked_roles
        on
            lines.marketplace_code = booked_roles.marketplace_code
            and lines.billing_cycle_id = booked_roles.document_id
            and lines.account_role = booked_roles.account_role
    left join item_lines
        on
            lines.marketplace_code = item_lines.marketplace_code
            and lines.order_id = item_lines.order_id
            and lines.order_line_id = item_lines.order_line_id
    where lines.is_in_net
    group by
        booked_roles.role_number,
        case when item_lines.item_code is null then lines.order_id end,
        item_lines.item_code,
        case when item_lines.item_code is not null then item_lines.order_period end

),

settled as (

    select
        booked_roles.entity_code,
        booked_roles.marketplace_code,
        booked_roles.document_id,
        booked_roles.account_role,
        booked_roles.first_period as period,
        settled_sums.order_id,
        settled_sums.item_code,
        settled_sums.order_period,
        settled_sums.amount
    from settled_sums
    inner join booked_roles
        on settled_sums.role_number = booked_roles.role_number

),

order_fees as (

    select
        settled.*,
        order_weights.item_code as weighed_item_code,
        order_weights.weight
    from settled
    inner join order_weights
        on
            settled.marketplace_code = order_weights.marketplace_code
            and settled.order_id = order_weights.order_id
    where settled.item_code is null and settled.amount <> 0

),

shared_fees as (

    {{ largest_remainder(
        'order_fees', ['marketplace_code', 'document_id', 'account_role', 'order_id'], 'amount', 'weight',
        ['weighed_item_code']
    ) | indent(4) }}

),

fee_orders as (

    select distinct
        marketplace_code,
        document_id,
        account_role,
        order_id
    from order_fees

),

settled_totals as (

    select
        marketplace_code,
        document_id,
        account_role,
        period,
        cast(sum(amount) as decimal(18, 2)) as amount
    from settled
    group by marketplace_code, document_id, account_role, period

),

-- What the ledger holds beyond the lines: a journal that was edited, posted twice, reversed in a later month.
residuals as (

    select
        posted.entity_code,
        posted.marketplace_code,
        posted.period,
        posted.account_role,
        cast(posted.amount - coalesce(settled_totals.amount, 0) as decimal(18, 2)) as amount
    from posted
    left join settled_totals
        on
            posted.marketplace_code = settled_totals.marketplace_code
            and posted.document_id = settled_totals.document_id
            and posted.account_role = settled_totals.account_role
            and posted.period = settled_totals.period

),

-- The ledger has the role in another month only, the lines belong to the first.
missing_months as (

    select
        settled_totals.marketplace_code,
        settled_totals.period,
        settled_totals.account_role,
        settled_totals.document_id,
        settled_totals.amount
    from settled_totals
    left join posted
        on
            settled_totals.marketplace_code = posted.marketplace_code
            and settled_totals.document_id = posted.document_id
            and settled_totals.account_role = posted.account_role
            and settled_totals.period = posted.period
    where posted.document_id is null

),

facts as (

    select
        entity_code,
        'CHANNEL' as scope,
        marketplace_code,
        period,
        account_role,
        order_id,
        item_code,
        amount
    from memo
    union all
    select
        judged.entity_code,
        judged.scope,
        judged.marketplace_code,
        judged.period,
        judged.account_role,
        judged.order_id,
        judged.item_code,
        judged.exact_amount as amount
    from judged
    where judged.is_exact
    union all
    select
        entity_code,
        scope,
        marketplace_code,
        period,
        account_role,
        order_id,
        item_code,
        allocated_amount as amount
    from allocated
    union all
    select
        entity_code,
        scope,
        marketplace_code,
        period,
        account_role,
        order_id,
        cast(null as varchar) as item_code,
        amount
    from without_parts
    union all
    select
        settled.entity_code,
        'CHANNEL' as scope,
        settled.marketplace_code,
        settled.period,
        settled.account_role,
        settled.order_id,
        settled.item_code,
        settled.amount
    from settled
    left join fee_orders
        on
            settled.marketplace_code = fee_orders.marketplace_code
            and settled.document_id = fee_orders.document_id
            and settled.account_role = fee_orders.account_role
            and settled.order_id = fee_orders.order_id
    where settled.item_code is null and fee_orders.order_id is null
    union all
    select
        entity_code,
        'CHANNEL' as scope,
        marketplace_code,
        period,
        account_role,
        order_id,
        weighed_item_code as item_code,
        allocated_amount as amount
    from shared_fees
    union all
    select
        entity_code,
        'CHANNEL' as scope,
        marketplace_code,
        period,
        account_role,
        cast(null as varchar) as order_id,
        cast(null as varchar) as item_code,
        amount
    from residuals
    where amount <> 0
    union all
    select
        booked_roles.entity_code,
        'CHANNEL' as scope,
        missing_months.marketplace_code,
        missing_months.period,
        missing_months.account_role,
        cast(null as varchar) as order_id,
        cast(null as varchar) as item_code,
        cast(-missing_months.amount as decimal(18, 2)) as amount
    from missing_months
    inner join booked_roles
        on
            missing_months.marketplace_code = booked_roles.marketplace_code
            and missing_months.document_id = booked_roles.document_id
            and missing_months.account_role = booked_roles.account_role

),

dated_facts as (

    select
        facts.entity_code,
        facts.scope,
        facts.marketplace_code,
        facts.period,
        coalesce({{ period_of('orders.order_date') }}, facts.period) as cohort_period,
        coalesce(facts.item_code, '') as item_code,
        facts.account_role,
        facts.amount
    from facts
    left join orders
        on
            facts.marketplace_code = orders.marketplace_code
            and facts.order_id = orders.order_id
    union all
    select
        settled.entity_code,
        'CHANNEL' as scope,
        settled.marketplace_code,
        settled.period,
        coalesce(settled.order_period, settled.period) as cohort_period,
        settled.item_code,
        settled.account_role,
        settled.amount
    from settled
    where settled.item_code is not null

),

final as (

    select
        entity_code,
        scope,
        marketplace_code,
        period,
        cohort_period,
        item_code,
        account_role,
        cast(sum(amount) as decimal(18, 2)) as amount
    from dated_facts
    group by entity_code, scope, marketplace_code, period, cohort_period, item_code, account_role

)

select * from final

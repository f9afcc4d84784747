-- Grain: one credit note to raise in the books, because the marketplace gave a customer money back for a sale that the ERP has invoiced and
-- nobody has credited (CRN-002). Amounts of that refund alone, VAT at the rate of the sale by the cumulative method. Left to a person: a line
-- that was refunded beyond its sale, one with a credit note of its own that no refund answers, a sale without VAT code, and what was
-- turned down or was posted and is gone. Dated on the day of the refund, or today when that period is locked or shut.
with

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}
    where has_books and posting_model = 'ORDER_LED'

),

rules as (

    select * from {{ ref('stg_tieout__refund_rules') }}
    where credit_notes in ('DUE', 'AT_ONCE')

),

erps as (

    select * from {{ ref('stg_tieout__erps') }}

),

locks as (

    {{ locked_periods() }}

),

shut as (

    {{ shut_periods() }}

),

account_roles as (

    select * from {{ ref('stg_tieout__accounts') }}
    where account_role in ('SALES_RETURNS', 'SHIPPING_REFUNDS')

),

order_lines as (

    select * from {{ ref('int_ledger__order_lines') }}

),

line_pairs as (

    select
        marketplace_code,
        order_line_id,
        item_tax_code,
        case when erp_tax_amount = 0 then 0 else item_tax_rate_percent end as rate_percent,
        coalesce(erp_vat_analysis_code, vat_analysis_code) as analysis_code
    from {{ ref('int_matching__order_line_pairs') }}
    where is_in_marketplace and is_in_erp

),

uncredited as (

    select
        checks.marketplace_code,
        checks.refund_id,
        checks.status,
        checks.subject_date as refund_date
    from {{ ref('int_matching__refund_checks') }} as checks
    where
        checks.rule_code = 'J010_CREDITED'
        and checks.subject_type = 'REFUND'
        and checks.status in ('EXCEPTION', 'TIMING')
        and checks.root_subject_id is null
        and checks.expected_amount > checks.actual_amount

),

-- A credit note of the line, or of the whole order, that answers no refund may be the one that is missing, over another amount.
unanswered as (

    select distinct
        marketplace_code,
        coalesce(order_line_id, order_id) as named_id
    from {{ ref('int_matching__credit_notes') }}
    where refund_id is null and coalesce(order_line_id, order_id) is not null

),

earlier as (

    select
        marketplace_code,
        natural_id,
        sum(case when state in ('FAILED', 'SUPERSEDED') then 1 else 0 end) as ended_count,
        sum(case when state in ('SENDING', 'SENT', 'UNKNOWN', 'VERIFIED', 'REJECTED') then 1 else 0 end)
            as settled_count
    from {{ ref('int_ledger__outbox_actions') }}
    where kind = 'CREDIT_NOTE'
    group by marketplace_code, natural_id

),

refunds as (

    select
        refunds.*,
        coalesce(sale_taxes.tax_sign, case when orders.tax_mode = 'TAX_EXCLUDED' then 1 else 0 end) as tax_sign,
        cast(sum(refunds.amount) over (
            partition by refunds.marketplace_code, refunds.order_line_id
            order by refunds.created_at, refunds.refund_id
            rows between unbounded preceding and current row
        ) as decimal(18, 2)) as goods_until_now,
        cast(sum(refunds.shipping_amount) over (
            partition by refunds.marketplace_code, refunds.order_line_id
            order by refunds.created_at, refunds.refund_id
            rows between unbounded preceding and current row
        ) as decimal(18, 2)) as carriage_until_now,
        sum(refunds.amount) over (
            partition by refunds.marketplace_code, refunds.order_line_id
        ) as goods_in_all,
        sum(refunds.shipping_amount) over (
            partition by refunds.marketplace_code, refunds.order_line_id
        ) as carriage_in_all
    from {{ ref('int_ledger__refunds') }} as refunds
    inner join {{ ref('int_ledger__orders') }} as orders
        on
            refunds.marketplace_code = orders.marketplace_code
            and refunds.order_id = orders.order_id
            and not orders.is_excluded
    left join {{ ref('int_matching__sale_taxes') }} as sale_taxes
        on
            refunds.marketplace_code = sale_taxes.marketplace_code
            and refunds.order_id = sale_taxes.order_id

),

due as (

    select
        refunds.marketplace_code,
        marketplaces.entity_code,
        marketplaces.erp_code,
        marketplaces.customer_reference,
        erps.vendor,
        refunds.refund_id,
        refunds.order_id,
        refunds.order_line_id,
        refunds.currency_code,
        uncredited.refund_date,
        case
            when locks.period is not null or shut.period is not null then marketplaces.as_of_date
            else uncredited.refund_date
        end as document_date,
        line_pairs.item_tax_code as tax_code,
        case when erps.vat_analysis_slot is not null then line_pairs.analysis_code end as analysis_code,
        rules.goods_credit_item,
        rules.shipping_credit_item,
        cast(1 + coalesce(earlier.ended_count, 0) as integer) as version,
        'CREDIT_NOTE|' || refunds.marketplace_code || '|' || refunds.refund_id as natural_key,
        cast(refunds.amount + refunds.tax_sign * refunds.tax_amount as decimal(18, 2)) as goods_amount,
        cast(refunds.shipping_amount + refunds.tax_sign * refunds.shipping_tax_amount as decimal(18, 2))
            as carriage_amount,
        cast(
            {{ tax_in_gross('refunds.goods_until_now', 'line_pairs.rate_percent') }}
            - {{ tax_in_gross('(refunds.goods_until_now - refunds.amount)', 'line_pairs.rate_percent') }}
            as decimal(18, 2)
        ) as goods_tax,
        cast(
            {{ tax_in_gross('refunds.carriage_until_now', 'line_pairs.rate_percent') }}
            - {{ tax_in_gross('(refunds.carriage_until_now - refunds.shipping_amount)', 'line_pairs.rate_percent') }}
            as decimal(18, 2)
        ) as carriage_tax
    from uncredited
    inner join refunds
        on
            uncredited.marketplace_code = refunds.marketplace_code
            and uncredited.refund_id = refunds.refund_id
    inner join marketplaces
        on refunds.marketplace_code = marketplaces.marketplace_code
    inner join erps
        on marketplaces.erp_code = erps.erp_code
    inner join rules
        on
            refunds.marketplace_code = rules.marketplace_code
            and (uncredited.status = 'EXCEPTION' or rules.credit_notes = 'AT_ONCE')
    inner join order_lines
        on
            refunds.marketplace_code = order_lines.marketplace_code
            and refunds.order_line_id = order_lines.order_line_id
            and refunds.goods_in_all <= order_lines.price_amount - order_lines.cancelled_amount
            and refunds.carriage_in_all <= order_lines.shipping_amount - order_lines.cancelled_shipping_amount
    inner join line_pairs
        on
            refunds.marketplace_code = line_pairs.marketplace_code
            and refunds.order_line_id = line_pairs.order_line_id
            and line_pairs.item_tax_code is not null
            and line_pairs.rate_percent is not null
    left join unanswered as unanswered_line
        on
            refunds.marketplace_code = unanswered_line.marketplace_code
            and refunds.order_line_id = unanswered_line.named_id
    left join unanswered as unanswered_order
        on
            refunds.marketplace_code = unanswered_order.marketplace_code
            and refunds.order_id = unanswered_order.named_id
    left join earlier
        on
            refunds.marketplace_code = earlier.marketplace_code
            and refunds.refund_id = earlier.natural_id
    left join locks
        on
            marketplaces.entity_code = locks.entity_code
            and {{ period_of('uncredited.refund_date') }} = locks.period
    left join shut
        on
            marketplaces.erp_code = shut.erp_code
            and {{ period_of('uncredited.refund_date') }} = shut.period
    where
        unanswered_line.named_id is null
        and unanswered_order.named_id is null
        and coalesce(earlier.settled_count, 0) = 0

),

parts as (

    select
        due.*,
        1 as part,
        'SALES_RETURNS' as account_role,
        replace(due.goods_credit_item, '{tax_code}', due.tax_code) as item_code,
        cast(due.goods_amount - due.goods_tax as decimal(18, 2)) as net_amount,
        due.goods_tax as tax_amount
    from due
    where due.goods_amount > 0
    union all
    select
        due.*,
        2 as part,
        'SHIPPING_REFUNDS' as account_role,
        replace(due.shipping_credit_item, '{tax_code}', due.tax_code) as item_code,
        cast(due.carriage_amount - due.carriage_tax as decimal(18, 2)) as net_amount,
        due.carriage_tax as tax_amount
    from due
    where due.carriage_amount > 0

),

-- The account of the marketplace before the one of all, the newest that is in force.
chosen as (

    select *
    from (
        select
            parts.*,
            account_roles.account_code,
            account_roles.cost_centre,
            account_roles.department,
            row_number() over (
                partition by parts.marketplace_code, parts.refund_id, parts.part
                order by
                    case when account_roles.marketplace_code = '*' then 1 else 0 end asc,
                    account_roles.effective_from desc
            ) as choice
        from parts
        inner join account_roles
            on
                parts.entity_code = account_roles.entity_code
                and parts.currency_code = account_roles.currency_code
                and parts.account_role = account_roles.account_role
                and account_roles.marketplace_code in ('*', parts.marketplace_code)
                and parts.document_date >= account_roles.effective_from
    ) as ranked
    where choice = 1

),

line_texts as (

    select
        marketplace_code,
        refund_id,
        sum(part) as parts,
        {{ json_array_agg(
            json_object([
                ('item_code', 'item_code'),
                ('quantity', "'1'"),
                ('unit_price', 'cast(net_amount as varchar)'),
                ('account_code', 'account_code'),
                ('cost_centre', 'cost_centre'),
                ('department', 'department'),
                ('net_amount', 'cast(net_amount as varchar)'),
                ('tax_amount', 'cast(tax_amount as varchar)'),
                ('tax_code', 'tax_code'),
                ('analysis_code', 'analysis_code'),
                ('narrative', "'Refund ' || refund_id || ' of ' || order_line_id"),
            ]),
            'part'
        ) }} as lines_json
    from chosen
    group by marketplace_code, refund_id

),

rendered as (

    select
        due.*,
        {{ wire_key('due.natural_key') }} as wire_key,
        {{ json_object([
            ('wire_key', wire_key('due.natural_key')),
            ('document_date', 'cast(due.document_date as varchar)'),
            ('customer_reference', 'due.customer_reference'),
            ('currency_code', 'due.currency_code'),
            ('reference', 'due.refund_id'),
            ('narrative', "'Refund ' || due.refund_id || ' of ' || due.order_line_id"),
            ('lines', json_raw('line_texts.lines_json')),
        ]) }} as payload
    from due
    inner join line_texts
        on
            due.marketplace_code = line_texts.marketplace_code
            and due.refund_id = line_texts.refund_id
    -- Goods and carriage, or neither: a part without an account is no credit note of the refund.
    where
        line_texts.parts
        = case when due.goods_amount > 0 then 1 else 0 end + case when due.carriage_amount > 0 then 2 else 0 end

),

final as (

    select
        rendered.natural_key || '|' || cast(rendered.version as varchar) as action_key,
        'CREDIT_NOTE' as kind,
        rendered.vendor,
        rendered.erp_code as account,
        rendered.marketplace_code,
        rendered.entity_code,
        rendered.refund_id as natural_id,
        rendered.version,
        rendered.wire_key,
        cast(rendered.goods_amount + rendered.carriage_amount as decimal(18, 2)) as amount,
        rendered.currency_code,
        rendered.payload,
        'Refund ' || rendered.refund_id || ' of ' || cast(rendered.refund_date as varchar) || ' for line '
        || rendered.order_line_id || ' gave the customer '
        || cast(cast(rendered.goods_amount + rendered.carriage_amount as decimal(18, 2)) as varchar) || ' '
        || rendered.currency_code || ' back; the sale is invoiced and not credited.' as reason,
        {{ sha256_hex('rendered.payload') }} as source_hash
    from rendered

)

select * from final

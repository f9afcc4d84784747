-- Grain: one refund to make at a marketplace, because the books hold a credit note that no refund answers. Goods first, then carriage; taxes by
-- their share, the last refund of a line taking the rest. Never more than the line has left, one at a time per line, and only of lines
-- that the marketplace still refunds; what cannot be refunded stays CRN-001 for a person.
with

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}

),

rules as (

    select * from {{ ref('stg_tieout__refund_rules') }}
    where is_refund_sent

),

orders as (

    select
        orders.*,
        coalesce(sale_taxes.tax_sign, case when orders.tax_mode = 'TAX_EXCLUDED' then 1 else 0 end) as tax_sign
    from {{ ref('int_ledger__orders') }} as orders
    left join {{ ref('int_matching__sale_taxes') }} as sale_taxes
        on
            orders.marketplace_code = sale_taxes.marketplace_code
            and orders.order_id = sale_taxes.order_id
    where not orders.is_excluded

),

refunded as (

    select
        marketplace_code,
        order_line_id,
        sum(amount) as amount,
        sum(shipping_amount) as shipping_amount,
        {{ json_array_agg("'\"' || refund_id || '\"'", 'refund_id') }} as known_ids_json
    from {{ ref('int_ledger__refunds') }}
    group by marketplace_code, order_line_id

),

line_taxes as (

    select * from {{ ref('int_ledger__order_line_taxes') }}

),

tax_sums as (

    select
        marketplace_code,
        order_line_id,
        sum(case when tax_kind = 'PRICE' then charged_amount else 0 end) as tax_amount,
        sum(case when tax_kind = 'PRICE' then refunded_amount else 0 end) as refunded_tax_amount,
        sum(case when tax_kind = 'SHIPPING' then charged_amount else 0 end) as shipping_tax_amount,
        sum(case when tax_kind = 'SHIPPING' then refunded_amount else 0 end) as refunded_shipping_tax_amount
    from line_taxes
    group by marketplace_code, order_line_id

),

order_lines as (

    select
        order_lines.marketplace_code,
        order_lines.order_id,
        order_lines.order_line_id,
        order_lines.currency_code,
        orders.tax_mode,
        orders.tax_sign,
        order_lines.line_state in ('SHIPPED', 'TO_COLLECT', 'RECEIVED') as is_refundable,
        cast(order_lines.price_amount - order_lines.cancelled_amount as decimal(18, 2)) as goods_sold,
        cast(order_lines.shipping_amount - order_lines.cancelled_shipping_amount as decimal(18, 2)) as carriage_sold,
        cast(coalesce(refunded.amount, 0) as decimal(18, 2)) as goods_refunded,
        cast(coalesce(refunded.shipping_amount, 0) as decimal(18, 2)) as carriage_refunded,
        cast(coalesce(tax_sums.tax_amount, 0) as decimal(18, 2)) as tax_sold,
        cast(coalesce(tax_sums.shipping_tax_amount, 0) as decimal(18, 2)) as shipping_tax_sold,
        cast(coalesce(tax_sums.tax_amount - tax_sums.refunded_tax_amount, 0) as decimal(18, 2)) as tax_left,
        cast(
            coalesce(tax_sums.shipping_tax_amount - tax_sums.refunded_shipping_tax_amount, 0) as decimal(18, 2)
        ) as shipping_tax_left,
        coalesce(refunded.known_ids_json, '[]') as known_ids_json
    from {{ ref('int_ledger__order_lines') }} as order_lines
    inner join orders
        on
            order_lines.marketplace_code = orders.marketplace_code
            and order_lines.order_id = orders.order_id
    left join refunded
        on
            order_lines.marketplace_code = refunded.marketplace_code
            and order_lines.order_line_id = refunded.order_line_id
    left join tax_sums
        on
            order_lines.marketplace_code = tax_sums.marketplace_code
            and order_lines.order_line_id = tax_sums.order_line_id

),

-- A credit note that names only the order is its line's when it has one.
single_lines as (

    select
        marketplace_code,
        order_id,
        min(order_line_id) as order_line_id
    from order_lines
    group by marketplace_code, order_id
    having count(*) = 1

),

earlier as (

    select
        marketplace_code,
        natural_id,
        sum(case when is_ended then 1 else 0 end) as ended_count,
        sum(case when state in ('SENDING', 'SENT', 'UNKNOWN', 'VERIFIED') then 1 else 0 end) as done_count
    from {{ ref('int_ledger__outbox_actions') }}
    where kind = 'REFUND'
    group by marketplace_code, natural_id

),

notes as (

    select
        notes.marketplace_code,
        notes.entity_code,
        notes.document_no,
        notes.transaction_date,
        notes.order_id,
        coalesce(notes.order_line_id, single_lines.order_line_id) as order_line_id,
        notes.gross_amount,
        rules.reason_code,
        coalesce(earlier.ended_count, 0) as ended_count,
        coalesce(earlier.done_count, 0) as done_count
    from {{ ref('int_matching__credit_notes') }} as notes
    inner join rules
        on notes.marketplace_code = rules.marketplace_code
    left join single_lines
        on
            notes.marketplace_code = single_lines.marketplace_code
            and notes.order_id = single_lines.order_id
    left join earlier
        on
            notes.marketplace_code = earlier.marketplace_code
            and notes.document_no = earlier.natural_id
    where notes.refund_id is null and not notes.is_excluded and notes.gross_amount > 0

),

turns as (

    select
        notes.*,
        row_number() over (
            partition by notes.marketplace_code, notes.order_line_id
            order by
                notes.done_count desc,
                case when notes.ended_count = 0 then 0 else 1 end asc,
                notes.transaction_date asc,
                notes.document_no asc
        ) as turn
    from notes

),

measured as (

    select
        turns.*,
        order_lines.currency_code,
        order_lines.tax_mode,
        order_lines.tax_sign,
        order_lines.goods_sold,
        order_lines.carriage_sold,
        order_lines.goods_refunded,
        order_lines.carriage_refunded,
        order_lines.tax_sold,
        order_lines.shipping_tax_sold,
        order_lines.known_ids_json,
        cast(order_lines.goods_sold - order_lines.goods_refunded as decimal(18, 2)) as goods_left,
        cast(order_lines.carriage_sold - order_lines.carriage_refunded as decimal(18, 2)) as carriage_left,
        cast(
            order_lines.goods_sold - order_lines.goods_refunded + order_lines.tax_sign * order_lines.tax_left
            as decimal(18, 2)
        ) as gross_goods_left,
        cast(
            order_lines.carriage_sold - order_lines.carriage_refunded
            + order_lines.tax_sign * order_lines.shipping_tax_left
            as decimal(18, 2)
        ) as gross_carriage_left
    from turns
    inner join order_lines
        on
            turns.marketplace_code = order_lines.marketplace_code
            and turns.order_line_id = order_lines.order_line_id
            and order_lines.is_refundable
    where turns.turn = 1 and turns.done_count = 0

),

within_sale as (

    select
        measured.*,
        least(measured.gross_amount, measured.gross_goods_left) as gross_goods,
        greatest(measured.gross_amount - measured.gross_goods_left, 0) as gross_carriage
    from measured
    where measured.gross_amount <= measured.gross_goods_left + measured.gross_carriage_left

),

-- From what the books credit to what the marketplace calls the amount: the same, or without (or with) its tax. In pence.
split as (

    select
        within_sale.*,
        cast(case
            when within_sale.gross_goods = within_sale.gross_goods_left then within_sale.goods_left
            when within_sale.tax_sign * within_sale.tax_sold = 0 then within_sale.gross_goods
            else cast({{ round_ratio(
                'cast(round(within_sale.gross_goods * 100) as bigint) * cast(round(within_sale.goods_sold * 100) as bigint)',
                'greatest(1, cast(round((within_sale.goods_sold + within_sale.tax_sign * within_sale.tax_sold) * 100) as bigint))'
            ) }} as decimal(18, 2)) * 0.01
        end as decimal(18, 2)) as goods_amount,
        cast(case
            when within_sale.gross_carriage = within_sale.gross_carriage_left then within_sale.carriage_left
            when within_sale.tax_sign * within_sale.shipping_tax_sold = 0 then within_sale.gross_carriage
            else cast({{ round_ratio(
                'cast(round(within_sale.gross_carriage * 100) as bigint)'
                ~ ' * cast(round(within_sale.carriage_sold * 100) as bigint)',
                'greatest(1, cast(round((within_sale.carriage_sold + within_sale.tax_sign * within_sale.shipping_tax_sold) * 100)'
                ~ ' as bigint))'
            ) }} as decimal(18, 2)) * 0.01
        end as decimal(18, 2)) as carriage_amount
    from within_sale

),

tax_parts as (

    select
        split.marketplace_code,
        split.document_no,
        line_taxes.tax_kind,
        line_taxes.tax_code,
        greatest(0, least(
            line_taxes.charged_amount - line_taxes.refunded_amount,
            cast(cast({{ round_ratio(
                'cast(round(line_taxes.charged_amount * 100) as bigint) * cast(round('
                ~ "case line_taxes.tax_kind when 'PRICE' then split.goods_refunded + split.goods_amount"
                ~ ' else split.carriage_refunded + split.carriage_amount end * 100) as bigint)',
                "greatest(1, cast(round(case line_taxes.tax_kind when 'PRICE' then split.goods_sold else split.carriage_sold end"
                ~ ' * 100) as bigint))'
            ) }} as decimal(18, 2)) * 0.01 as decimal(18, 2)) - line_taxes.refunded_amount
        )) as amount
    from split
    inner join line_taxes
        on
            split.marketplace_code = line_taxes.marketplace_code
            and split.order_line_id = line_taxes.order_line_id

),

tax_texts as (

    select
        marketplace_code,
        document_no,
        tax_kind,
        {{ json_array_agg(
            json_object([('code', 'tax_code'), ('amount', 'cast(cast(amount as decimal(18, 2)) as varchar)')]),
            'tax_code'
        ) }} as taxes_json
    from tax_parts
    group by marketplace_code, document_no, tax_kind

),

rendered as (

    select
        split.*,
        cast(1 + split.ended_count as integer) as version,
        'REFUND|' || split.marketplace_code || '|' || split.document_no || '|'
        || cast(1 + split.ended_count as varchar) as action_key,
        {{ json_object([
            ('order_id', 'split.order_id'),
            ('currency_code', 'split.currency_code'),
            ('order_tax_mode', 'split.tax_mode'),
            ('credit_note', 'split.document_no'),
            ('known_ids', json_raw('split.known_ids_json')),
            ('refunds', json_raw(
                "'[' || " ~ json_object([
                    ('order_line_id', 'split.order_line_id'),
                    ('amount', 'cast(split.goods_amount as varchar)'),
                    ('shipping_amount', 'cast(split.carriage_amount as varchar)'),
                    ('reason_code', 'split.reason_code'),
                    ('taxes', json_raw('taxes.taxes_json')),
                    ('shipping_taxes', json_raw('shipping_taxes.taxes_json')),
                ]) ~ " || ']'"
            )),
        ]) }} as payload
    from split
    left join tax_texts as taxes
        on
            split.marketplace_code = taxes.marketplace_code
            and split.document_no = taxes.document_no
            and taxes.tax_kind = 'PRICE'
    left join tax_texts as shipping_taxes
        on
            split.marketplace_code = shipping_taxes.marketplace_code
            and split.document_no = shipping_taxes.document_no
            and shipping_taxes.tax_kind = 'SHIPPING'

),

final as (

    select
        rendered.action_key,
        'REFUND' as kind,
        marketplaces.vendor,
        rendered.marketplace_code as account,
        rendered.marketplace_code,
        rendered.entity_code,
        rendered.document_no as natural_id,
        rendered.version,
        {{ wire_key('rendered.action_key') }} as wire_key,
        rendered.gross_amount as amount,
        rendered.currency_code,
        rendered.payload,
        'Credit note ' || rendered.document_no || ' of ' || cast(rendered.transaction_date as varchar) || ' for line '
        || rendered.order_line_id || ' has no refund at the marketplace; the customer is owed '
        || cast(rendered.gross_amount as varchar) || ' ' || rendered.currency_code || '.' as reason,
        {{ sha256_hex('rendered.payload') }} as source_hash
    from rendered
    inner join marketplaces
        on rendered.marketplace_code = marketplaces.marketplace_code

)

select * from final

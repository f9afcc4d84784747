-- Grain: one marketplace order to create in the ERP now: the marketplace waits for it or has it paid for, nothing keeps it out, and no
-- earlier action for it is on its way, was proved, or was turned down by a person. The version counts the actions that have ended, so an
-- order that the ERP refused is proposed again once its data is another. The wire key is the order's for ever: whatever carries it at the
-- vendor is this order. Prices are without tax, of what is left after cancelations. No personal data: the name and address of the
-- customer are read from the evidence when the order is sent.
with

imports as (

    select * from {{ ref('int_matching__order_imports') }}
    where obstacle is null

),

pairs as (

    select * from {{ ref('int_matching__order_pairs') }}

),

rules as (

    select * from {{ ref('stg_tieout__order_rules') }}

),

erps as (

    select * from {{ ref('stg_tieout__erps') }}

),

items as (

    select * from {{ ref('int_ledger__items') }}

),

order_lines as (

    select * from {{ ref('int_ledger__order_lines') }}
    where not is_cancelled and quantity > cancelled_quantity

),

earlier as (

    select
        marketplace_code,
        natural_id,
        sum(case when state in ('FAILED', 'SUPERSEDED') then 1 else 0 end) as ended_count,
        sum(case when state in ('SENDING', 'SENT', 'UNKNOWN', 'VERIFIED', 'REJECTED') then 1 else 0 end)
            as settled_count
    from {{ ref('int_ledger__outbox_actions') }}
    where kind = 'SALES_ORDER'
    group by marketplace_code, natural_id

),

due as (

    select
        pairs.marketplace_code,
        pairs.entity_code,
        pairs.erp_code,
        erps.vendor,
        pairs.order_id,
        pairs.order_state,
        pairs.order_date,
        pairs.created_at,
        pairs.currency_code,
        pairs.tax_sign,
        pairs.sale_tax_role as tax_role,
        pairs.sale_tax_code,
        pairs.sale_tax_rate_percent,
        pairs.ship_to_country,
        pairs.ship_to_state,
        erps.vat_analysis_slot,
        pairs.total_amount,
        pairs.expected_customer_reference as customer_reference,
        rules.location_name,
        rules.shipping_code,
        case when pairs.order_state = 'WAITING_ACCEPTANCE' then pairs.acceptance_due_at end as acceptance_due_at,
        1 + coalesce(earlier.ended_count, 0) as version,
        'SALES_ORDER|' || pairs.marketplace_code || '|' || pairs.order_id as natural_key
    from pairs
    inner join imports
        on
            pairs.marketplace_code = imports.marketplace_code
            and pairs.order_id = imports.order_id
    inner join rules
        on pairs.marketplace_code = rules.marketplace_code
    inner join erps
        on pairs.erp_code = erps.erp_code
    left join earlier
        on
            pairs.marketplace_code = earlier.marketplace_code
            and pairs.order_id = earlier.natural_id
    where coalesce(earlier.settled_count, 0) = 0

),

taxed as (

    select
        due.marketplace_code,
        due.entity_code,
        due.order_id,
        due.order_date,
        due.tax_role,
        due.ship_to_country,
        due.ship_to_state,
        due.vat_analysis_slot,
        order_lines.offer_state_code,
        order_lines.order_line_id,
        order_lines.order_line_index,
        order_lines.item_code,
        cast(order_lines.quantity - order_lines.cancelled_quantity as decimal(18, 4)) as quantity,
        coalesce(due.sale_tax_code, items.tax_code) as tax_code,
        coalesce(due.sale_tax_rate_percent, items.tax_rate_percent, 0) as rate_percent,
        {{ money(
            'order_lines.price_amount - order_lines.cancelled_amount'
            ~ ' + due.tax_sign * (order_lines.tax_amount - order_lines.cancelled_tax_amount)'
        ) }} as goods_amount,
        {{ money(
            'order_lines.shipping_amount - order_lines.cancelled_shipping_amount'
            ~ ' + due.tax_sign * (order_lines.shipping_tax_amount - order_lines.cancelled_shipping_tax_amount)'
        ) }} as shipping_amount
    from due
    inner join order_lines
        on
            due.marketplace_code = order_lines.marketplace_code
            and due.order_id = order_lines.order_id
    inner join items
        on
            due.erp_code = items.erp_code
            and order_lines.item_code = items.item_code

),

analysis_choices as (

    {{ analysis_choices('taxed') }}

),

netted as (

    select
        taxed.*,
        case when taxed.vat_analysis_slot is not null then analysis_choices.analysis_code end as analysis_code,
        {{ money('taxed.goods_amount - ' ~ tax_in_gross('taxed.goods_amount', 'taxed.rate_percent')) }} as net_amount,
        {{ money('taxed.shipping_amount - ' ~ tax_in_gross('taxed.shipping_amount', 'taxed.rate_percent')) }}
            as shipping_net_amount
    from taxed
    left join analysis_choices
        on
            {{ analysis_join('taxed', 'analysis_choices') }}

),

goods as (

    select
        netted.marketplace_code,
        netted.order_id,
        1 as part,
        coalesce(lpad(cast(netted.order_line_index as varchar), 9, '0'), '') || netted.order_line_id as place,
        'STANDARD' as line_type,
        netted.item_code,
        cast(null as varchar) as charge_code,
        {{ whole_number('netted.quantity') }} as quantity,
        -- Five decimals, the most that the ERPs keep, so that price times quantity is the line to the penny.
        cast(cast({{ round_ratio(
            'cast(round(netted.net_amount * 100) as bigint) * 10000000',
            'cast(round(netted.quantity * 10000) as bigint)'
        ) }} as decimal(18, 0)) * cast(0.00001 as decimal(6, 5)) as decimal(18, 5)) as unit_price,
        netted.tax_code,
        netted.order_line_id as narrative,
        case
            {% for slot in ('2', '3', '4', '5') -%}
            when netted.analysis_code is not null and netted.vat_analysis_slot = '{{ slot }}'
                then {{ json_object([('1', 'netted.order_line_id'), (slot, 'netted.analysis_code')]) }}
            {% endfor -%}
            else {{ json_object([('1', 'netted.order_line_id')]) }}
        end as analysis_json
    from netted

),

charges as (

    select
        netted.marketplace_code,
        netted.order_id,
        2 as part,
        netted.tax_code as place,
        'CHARGE' as line_type,
        due.shipping_code as item_code,
        due.shipping_code as charge_code,
        '1' as quantity,
        cast(sum(netted.shipping_net_amount) as decimal(18, 5)) as unit_price,
        netted.tax_code,
        'Carriage' as narrative,
        case
            {% for slot in ('2', '3', '4', '5') -%}
            when netted.analysis_code is not null and due.vat_analysis_slot = '{{ slot }}'
                then {{ json_object([(slot, 'netted.analysis_code')]) }}
            {% endfor -%}
            else '{}'
        end as analysis_json
    from netted
    inner join due
        on
            netted.marketplace_code = due.marketplace_code
            and netted.order_id = due.order_id
    where netted.shipping_net_amount <> 0
    group by
        netted.marketplace_code,
        netted.order_id,
        netted.tax_code,
        netted.analysis_code,
        due.vat_analysis_slot,
        due.shipping_code

),

lines as (

    select * from goods
    union all
    select * from charges

),

line_texts as (

    select
        lines.marketplace_code,
        lines.order_id,
        {{ json_array_agg(
            json_object([
                ('line_type', 'lines.line_type'),
                ('item_code', 'lines.item_code'),
                ('charge_code', 'lines.charge_code'),
                ('quantity', 'lines.quantity'),
                ('unit_price', 'cast(lines.unit_price as varchar)'),
                ('tax_code', 'lines.tax_code'),
                ('narrative', 'lines.narrative'),
                ('analysis_codes', json_raw('lines.analysis_json')),
            ]),
            'lines.tax_code, lines.part, lines.place, lines.analysis_json'
        ) }} as lines_json
    from lines
    group by lines.marketplace_code, lines.order_id

),

payloads as (

    select
        due.*,
        {{ wire_key('due.natural_key') }} as wire_key,
        {{ json_object([
            ('wire_key', wire_key('due.natural_key')),
            ('order_reference', 'due.order_id'),
            ('order_date', 'cast(due.order_date as varchar)'),
            ('customer_reference', 'due.customer_reference'),
            ('currency_code', 'due.currency_code'),
            ('location_name', 'due.location_name'),
            ('class_name', 'due.marketplace_code'),
            ('analysis_codes', json_raw(json_object([('1', 'due.marketplace_code')]))),
            ('due_at', 'cast(due.acceptance_due_at as varchar)'),
            ('lines', json_raw('line_texts.lines_json')),
        ]) }} as payload
    from due
    inner join line_texts
        on
            due.marketplace_code = line_texts.marketplace_code
            and due.order_id = line_texts.order_id

),

final as (

    select
        payloads.natural_key || '|' || cast(payloads.version as varchar) as action_key,
        'SALES_ORDER' as kind,
        payloads.vendor,
        payloads.erp_code as account,
        payloads.marketplace_code,
        payloads.entity_code,
        payloads.order_id as natural_id,
        cast(payloads.version as integer) as version,
        payloads.wire_key,
        payloads.total_amount as amount,
        payloads.currency_code,
        payloads.payload,
        'Order of ' || cast(payloads.order_date as varchar) || ' (' || payloads.order_state || ') is not in the ERP'
        || coalesce('; the operator waits until ' || cast(payloads.acceptance_due_at as varchar) || ' UTC', '') || '.'
            as reason,
        {{ sha256_hex('payloads.payload') }} as source_hash
    from payloads

)

select * from final

-- Grain: one order line of which something is to be cancelled at the marketplace (OR30), because the ERP will not deliver it: a line that was
-- cancelled or closed, a quantity that was reduced, or all that is left of an order whose cancelation as a whole (OR29) the marketplace refused.
-- Only an accepted line that is not sent, after the time that the import has; never what was sent, is planned in a parcel, or was refunded.
-- A quantity that differs is not enough, it may have been keyed wrong: the ERP says that it closed the line, or it once held all of the order, because
-- Tieout made it and read it back. Where the ERP sends something else instead, a person decides (ORD-004). The last unit takes all that is left, carriage with it; before that
-- goods and taxes by their share. One at a time per line; one that was turned down or refused is not proposed again: ORD-004 or ORD-005 stays.
with

rules as (

    select * from {{ ref('stg_tieout__order_rules') }}
    where
        fulfilled_by in ('SELLER', 'MARKETPLACE')
        and cancelation_reason_code is not null

),

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}

),

outbox as (

    select * from {{ ref('int_ledger__outbox_actions') }}
    where kind in ('SALES_ORDER', 'CANCELATION')

),

by_subject as (

    select
        kind,
        marketplace_code,
        natural_id,
        sum(case when state = 'VERIFIED' then 1 else 0 end) as verified_count,
        sum(case when state in ('VERIFIED', 'SUPERSEDED') then 1 else 0 end) as over_count,
        sum(case when state in ('SENDING', 'SENT', 'UNKNOWN') then 1 else 0 end) as open_count,
        sum(case when state = 'FAILED' then 1 else 0 end) as failed_count,
        sum(case when state = 'REJECTED' then 1 else 0 end) as rejected_count
    from outbox
    group by kind, marketplace_code, natural_id

),

-- What Tieout made was read back line by line before it counted as proved.
made as (

    select
        marketplace_code,
        natural_id as order_id
    from by_subject
    where kind = 'SALES_ORDER' and verified_count > 0

),

refused_as_a_whole as (

    select
        marketplace_code,
        natural_id as order_id
    from by_subject
    where kind = 'CANCELATION' and failed_count > 0 and verified_count + open_count + rejected_count = 0

),

pairs as (

    select
        pairs.*,
        rules.cancelation_reason_code,
        marketplaces.vendor,
        made.order_id is not null as is_made_by_us
    from {{ ref('int_matching__order_pairs') }} as pairs
    inner join rules
        on pairs.marketplace_code = rules.marketplace_code
    inner join marketplaces
        on pairs.marketplace_code = marketplaces.marketplace_code
    left join made
        on
            pairs.marketplace_code = made.marketplace_code
            and pairs.order_id = made.order_id
    left join refused_as_a_whole
        on
            pairs.marketplace_code = refused_as_a_whole.marketplace_code
            and pairs.order_id = refused_as_a_whole.order_id
    where
        pairs.erp_order_id is not null
        and not pairs.is_excluded
        and pairs.order_state in ('WAITING_DEBIT', 'WAITING_DEBIT_PAYMENT', 'SHIPPING')
        and pairs.sync_due_at < {{ as_of() }}
        and (
            -- Of two copies a person says which one counts (ORD-003).
            (pairs.live_copy_count = 1 and not pairs.is_erp_cancelled)
            or (pairs.live_copy_count = 0 and pairs.is_erp_cancelled and refused_as_a_whole.order_id is not null)
        )

),

line_pairs as (

    select * from {{ ref('int_matching__order_line_pairs') }}

),

-- Goods on the ERP order that the marketplace never sold: they may stand for what is missing.
replaced as (

    select distinct
        marketplace_code,
        order_id
    from line_pairs
    where not is_in_marketplace and erp_quantity > 0

),

parcels as (

    select
        marketplace_code,
        order_line_id,
        sum(quantity) as quantity
    from {{ ref('int_ledger__parcels') }}
    where shipment_state <> 'CANCELED'
    group by marketplace_code, order_line_id

),

refunded as (

    select
        marketplace_code,
        order_line_id,
        sum(coalesce(quantity, 0)) as quantity,
        sum(amount) as amount,
        sum(shipping_amount) as shipping_amount
    from {{ ref('int_ledger__refunds') }}
    group by marketplace_code, order_line_id

),

measured as (

    select
        pairs.marketplace_code,
        pairs.entity_code,
        pairs.vendor,
        pairs.order_id,
        pairs.document_no,
        pairs.is_erp_cancelled,
        pairs.currency_code,
        pairs.tax_mode,
        pairs.tax_sign,
        pairs.cancelation_reason_code,
        order_lines.order_line_id,
        order_lines.quantity - order_lines.cancelled_quantity - coalesce(refunded.quantity, 0) as left_quantity,
        greatest(
            case when pairs.is_erp_cancelled then 0 else line_pairs.erp_quantity end,
            line_pairs.erp_despatched_quantity,
            coalesce(parcels.quantity, 0)
        ) as kept_quantity,
        cast(
            order_lines.price_amount - order_lines.cancelled_amount - coalesce(refunded.amount, 0) as decimal(18, 2)
        ) as goods_left,
        cast(
            order_lines.shipping_amount - order_lines.cancelled_shipping_amount - coalesce(refunded.shipping_amount, 0)
            as decimal(18, 2)
        ) as carriage_left,
        order_lines.cancelation_count,
        order_lines.cancelation_ids
    from line_pairs
    inner join pairs
        on
            line_pairs.marketplace_code = pairs.marketplace_code
            and line_pairs.order_id = pairs.order_id
    inner join {{ ref('int_ledger__order_lines') }} as order_lines
        on
            line_pairs.marketplace_code = order_lines.marketplace_code
            and line_pairs.order_id = order_lines.order_id
            and line_pairs.order_line_id = order_lines.order_line_id
    left join replaced
        on
            line_pairs.marketplace_code = replaced.marketplace_code
            and line_pairs.order_id = replaced.order_id
    left join parcels
        on
            line_pairs.marketplace_code = parcels.marketplace_code
            and line_pairs.order_line_id = parcels.order_line_id
    left join refunded
        on
            line_pairs.marketplace_code = refunded.marketplace_code
            and line_pairs.order_line_id = refunded.order_line_id
    where
        line_pairs.is_in_marketplace
        and not line_pairs.is_item_different
        and replaced.order_id is null
        and order_lines.line_state in ('WAITING_DEBIT', 'WAITING_DEBIT_PAYMENT', 'SHIPPING')
        and (pairs.is_erp_cancelled or pairs.is_made_by_us or line_pairs.is_erp_short_closed)

),

due as (

    select
        measured.*,
        measured.left_quantity - measured.kept_quantity as cancel_quantity,
        measured.kept_quantity = 0 as is_rest,
        coalesce(earlier.over_count, 0) as over_count
    from measured
    left join by_subject as earlier
        on
            earlier.kind = 'CANCELATION'
            and measured.marketplace_code = earlier.marketplace_code
            and measured.order_line_id = earlier.natural_id
    where
        measured.left_quantity > measured.kept_quantity
        -- The marketplace counts whole pieces.
        and measured.kept_quantity = floor(measured.kept_quantity)
        and coalesce(earlier.open_count + earlier.failed_count + earlier.rejected_count, 0) = 0
        -- What was cancelled already must be in sight.
        and coalesce(earlier.verified_count, 0) <= measured.cancelation_count

),

split as (

    select
        due.*,
        case
            when due.is_rest then due.goods_left
            else cast(cast({{ round_ratio(
                'cast(round(due.goods_left * 100) as bigint) * cast(due.cancel_quantity as bigint)',
                'cast(due.left_quantity as bigint)'
            ) }} as decimal(18, 2)) * 0.01 as decimal(18, 2))
        end as goods_amount,
        case when due.is_rest then due.carriage_left else cast(0 as decimal(18, 2)) end as carriage_amount
    from due

),

tax_parts as (

    select
        split.marketplace_code,
        split.order_line_id,
        line_taxes.tax_kind,
        line_taxes.tax_code,
        cast(case
            when split.is_rest then line_taxes.charged_amount - line_taxes.refunded_amount
            when line_taxes.tax_kind = 'SHIPPING' then 0
            else cast({{ round_ratio(
                'cast(round((line_taxes.charged_amount - line_taxes.refunded_amount) * 100) as bigint)'
                ~ ' * cast(split.cancel_quantity as bigint)',
                'cast(split.left_quantity as bigint)'
            ) }} as decimal(18, 2)) * 0.01
        end as decimal(18, 2)) as amount
    from split
    inner join {{ ref('int_ledger__order_line_taxes') }} as line_taxes
        on
            split.marketplace_code = line_taxes.marketplace_code
            and split.order_line_id = line_taxes.order_line_id

),

tax_texts as (

    select
        marketplace_code,
        order_line_id,
        tax_kind,
        sum(amount) as amount,
        {{ json_array_agg(
            json_object([('code', 'tax_code'), ('amount', 'cast(cast(amount as decimal(18, 2)) as varchar)')]),
            'tax_code'
        ) }} as taxes_json
    from tax_parts
    group by marketplace_code, order_line_id, tax_kind

),

rendered as (

    select
        split.*,
        cast(1 + split.over_count as integer) as version,
        'CANCELATION|' || split.marketplace_code || '|' || split.order_line_id || '|'
        || cast(1 + split.over_count as varchar) as action_key,
        cast(
            split.goods_amount + split.carriage_amount
            + split.tax_sign * (coalesce(taxes.amount, 0) + coalesce(shipping_taxes.amount, 0))
            as decimal(18, 2)
        ) as gross_amount,
        {{ json_object([
            ('order_id', 'split.order_id'),
            ('currency_code', 'split.currency_code'),
            ('order_tax_mode', 'split.tax_mode'),
            ('known_ids', json_raw('split.cancelation_ids')),
            ('cancelations', json_raw(
                "'[' || " ~ json_object([
                    ('order_line_id', 'split.order_line_id'),
                    ('amount', 'cast(split.goods_amount as varchar)'),
                    ('shipping_amount', 'cast(split.carriage_amount as varchar)'),
                    ('quantity', 'cast(split.cancel_quantity as integer)'),
                    ('reason_code', 'split.cancelation_reason_code'),
                    ('taxes', json_raw('taxes.taxes_json')),
                    ('shipping_taxes', json_raw('shipping_taxes.taxes_json')),
                ]) ~ " || ']'"
            )),
        ]) }} as payload
    from split
    left join tax_texts as taxes
        on
            split.marketplace_code = taxes.marketplace_code
            and split.order_line_id = taxes.order_line_id
            and taxes.tax_kind = 'PRICE'
    left join tax_texts as shipping_taxes
        on
            split.marketplace_code = shipping_taxes.marketplace_code
            and split.order_line_id = shipping_taxes.order_line_id
            and shipping_taxes.tax_kind = 'SHIPPING'

),

final as (

    select
        rendered.action_key,
        'CANCELATION' as kind,
        rendered.vendor,
        rendered.marketplace_code as account,
        rendered.marketplace_code,
        rendered.entity_code,
        rendered.order_line_id as natural_id,
        rendered.version,
        {{ wire_key('rendered.action_key') }} as wire_key,
        rendered.gross_amount as amount,
        rendered.currency_code,
        rendered.payload,
        case
            when rendered.is_erp_cancelled
                then
                    'ERP order ' || rendered.document_no || ' is cancelled and the marketplace refused to cancel '
                    || rendered.order_id || ' as a whole; '
            else
                'ERP order ' || rendered.document_no || ' will deliver '
                || {{ whole_number('rendered.kept_quantity') }} || ' of the '
                || {{ whole_number('rendered.left_quantity') }} || ' that the marketplace waits for; '
        end || {{ whole_number('rendered.cancel_quantity') }} || ' of line ' || rendered.order_line_id
        || ' must be cancelled there.' as reason,
        {{ sha256_hex('rendered.payload') }} as source_hash
    from rendered

)

select * from final

-- One row per marketplace and order line. Amounts of the whole line in the order's currency and tax mode, positive.
-- discount_amount: what the seller himself took off the list price.
-- cancelation_ids: those of its cancelations, as a JSON list.
-- A line that was refused or cancelled in full counts as cancelled to its last penny, with or without cancelation records.

with lines as (
    select * from {{ ref('stg_mirakl__order_lines') }}
),

orders as (
    select * from {{ ref('int_ledger__orders') }}
),

item_map as (
    select * from {{ ref('stg_tieout__item_map') }}
),

line_taxes as (
    select
        marketplace_code,
        order_id,
        order_line_id,
        {{ money("sum(case when tax_kind = 'PRICE' then amount else 0 end)") }} as tax_amount,
        {{ money("sum(case when tax_kind = 'SHIPPING' then amount else 0 end)") }} as shipping_tax_amount,
        {{ money("sum(case when tax_kind = 'COMMISSION' then amount else 0 end)") }} as commission_vat_amount
    from {{ ref('stg_mirakl__order_line_taxes') }}
    where parent_type = 'LINE'
    group by marketplace_code, order_id, order_line_id
),

cancelled_taxes as (
    select
        marketplace_code,
        order_id,
        order_line_id,
        {{ money("sum(case when tax_kind = 'PRICE' then amount else 0 end)") }} as tax_amount,
        {{ money("sum(case when tax_kind = 'SHIPPING' then amount else 0 end)") }} as shipping_tax_amount
    from {{ ref('stg_mirakl__order_line_taxes') }}
    where parent_type = 'CANCELATION'
    group by marketplace_code, order_id, order_line_id
),

cancelations as (
    select
        marketplace_code,
        order_id,
        order_line_id,
        max(created_at) as created_at,
        count(*) as cancelation_count,
        {{ json_array_agg("'\"' || cancelation_id || '\"'", 'cancelation_id') }} as cancelation_ids,
        cast(sum(coalesce(quantity, 0)) as decimal(18, 4)) as quantity,
        {{ money('sum(coalesce(amount, 0))') }} as amount,
        {{ money('sum(coalesce(shipping_amount, 0))') }} as shipping_amount,
        {{ money('sum(coalesce(commission_amount, 0))') }} as commission_amount,
        {{ money('sum(coalesce(commission_tax_amount, commission_total_amount - commission_amount, 0))') }}
            as commission_vat_amount
    from {{ ref('stg_mirakl__order_line_cancelations') }}
    group by marketplace_code, order_id, order_line_id
),

refunds as (
    select
        marketplace_code,
        order_id,
        order_line_id,
        {{ money('sum(coalesce(amount, 0))') }} as amount,
        {{ money('sum(coalesce(shipping_amount, 0))') }} as shipping_amount
    from {{ ref('stg_mirakl__order_line_refunds') }}
    group by marketplace_code, order_id, order_line_id
),

joined as (
    select
        orders.marketplace_code,
        orders.entity_code,
        orders.order_id,
        lines.order_line_id,
        lines.order_line_index,
        lines.line_state,
        lines.shop_sku,
        lines.offer_state_code,
        coalesce(item_map.item_code, lines.shop_sku) as item_code,
        lines.category_code,
        lines.quantity,
        lines.unit_price,
        {{ money('lines.price_amount') }} as price_amount,
        {{ money('lines.shipping_amount') }} as shipping_amount,
        {{ money('lines.total_amount') }} as total_amount,
        {{ money('coalesce(lines.commission_amount, 0)') }} as commission_amount,
        {{ money(
            'coalesce(line_taxes.commission_vat_amount, '
            ~ 'lines.total_commission_amount - lines.commission_amount, 0)'
        ) }} as commission_vat_amount,
        {{ money('coalesce(line_taxes.tax_amount, 0)') }} as tax_amount,
        {{ money('coalesce(line_taxes.shipping_tax_amount, 0)') }} as shipping_tax_amount,
        {{ money('coalesce(lines.operator_funded_amount, 0)') }} as operator_funded_amount,
        {{ money('greatest(coalesce(lines.origin_unit_price * lines.quantity - lines.price_amount, 0), 0)') }}
            as discount_amount,
        lines.line_state in ('CANCELED', 'REFUSED') as is_cancelled,
        cancelations.created_at as cancelled_at,
        coalesce(cancelations.cancelation_count, 0) as cancelation_count,
        coalesce(cancelations.cancelation_ids, '[]') as cancelation_ids,
        coalesce(cancelations.quantity, 0) as part_quantity,
        coalesce(cancelations.amount, 0) as part_amount,
        coalesce(cancelations.shipping_amount, 0) as part_shipping_amount,
        coalesce(cancelations.commission_amount, 0) as part_commission_amount,
        coalesce(cancelations.commission_vat_amount, 0) as part_commission_vat_amount,
        coalesce(cancelled_taxes.tax_amount, 0) as part_tax_amount,
        coalesce(cancelled_taxes.shipping_tax_amount, 0) as part_shipping_tax_amount,
        coalesce(refunds.amount, 0) as refunded_amount,
        coalesce(refunds.shipping_amount, 0) as refunded_shipping_amount,
        lines.created_at,
        lines.debited_at,
        lines.shipped_at,
        lines.received_at,
        orders.currency_code
    from lines
    inner join orders
        on
            lines.marketplace_code = orders.marketplace_code
            and lines.order_id = orders.order_id
    left join item_map
        on
            lines.marketplace_code = item_map.marketplace_code
            and lines.shop_sku = item_map.shop_sku
    left join line_taxes
        on
            lines.marketplace_code = line_taxes.marketplace_code
            and lines.order_id = line_taxes.order_id
            and lines.order_line_id = line_taxes.order_line_id
    left join cancelations
        on
            lines.marketplace_code = cancelations.marketplace_code
            and lines.order_id = cancelations.order_id
            and lines.order_line_id = cancelations.order_line_id
    left join cancelled_taxes
        on
            lines.marketplace_code = cancelled_taxes.marketplace_code
            and lines.order_id = cancelled_taxes.order_id
            and lines.order_line_id = cancelled_taxes.order_line_id
    left join refunds
        on
            lines.marketplace_code = refunds.marketplace_code
            and lines.order_id = refunds.order_id
            and lines.order_line_id = refunds.order_line_id
),

final as (
    select
        joined.marketplace_code,
        joined.entity_code,
        joined.order_id,
        joined.order_line_id,
        joined.order_line_index,
        joined.line_state,
        joined.shop_sku,
        joined.offer_state_code,
        joined.item_code,
        joined.category_code,
        joined.quantity,
        joined.unit_price,
        joined.price_amount,
        joined.shipping_amount,
        joined.total_amount,
        joined.commission_amount,
        joined.commission_vat_amount,
        joined.tax_amount,
        joined.shipping_tax_amount,
        joined.operator_funded_amount,
        joined.discount_amount,
        joined.is_cancelled,
        joined.cancelled_at,
        joined.cancelation_count,
        joined.cancelation_ids,
        cast(case when joined.is_cancelled then joined.quantity else joined.part_quantity end as decimal(18, 4))
            as cancelled_quantity,
        {{ money('case when joined.is_cancelled then joined.price_amount else joined.part_amount end') }}
            as cancelled_amount,
        {{ money('case when joined.is_cancelled then joined.shipping_amount else joined.part_shipping_amount end') }}
            as cancelled_shipping_amount,
        {{ money(
            'case when joined.is_cancelled then joined.commission_amount else joined.part_commission_amount end'
        ) }} as cancelled_commission_amount,
        {{ money(
            'case when joined.is_cancelled then joined.commission_vat_amount else joined.part_commission_vat_amount end'
        ) }} as cancelled_commission_vat_amount,
        {{ money('case when joined.is_cancelled then joined.tax_amount else joined.part_tax_amount end') }}
            as cancelled_tax_amount,
        {{ money(
            'case when joined.is_cancelled then joined.shipping_tax_amount else joined.part_shipping_tax_amount end'
        ) }} as cancelled_shipping_tax_amount,
        {{ money('joined.refunded_amount') }} as refunded_amount,
        {{ money('joined.refunded_shipping_amount') }} as refunded_shipping_amount,
        joined.created_at,
        joined.debited_at,
        joined.shipped_at,
        joined.received_at,
        joined.currency_code
    from joined
)

select * from final

-- One row per marketplace and refund of an order line. Amounts positive, in the order's currency; the quantity is informative only.

with refunds as (
    select * from {{ ref('stg_mirakl__order_line_refunds') }}
),

orders as (
    select * from {{ ref('int_ledger__orders') }}
),

refund_taxes as (
    select
        marketplace_code,
        order_id,
        order_line_id,
        parent_id as refund_id,
        {{ money("sum(case when tax_kind = 'PRICE' then amount else 0 end)") }} as tax_amount,
        {{ money("sum(case when tax_kind = 'SHIPPING' then amount else 0 end)") }} as shipping_tax_amount,
        {{ money("sum(case when tax_kind = 'COMMISSION' then amount end)") }} as commission_vat_amount
    from {{ ref('stg_mirakl__order_line_taxes') }}
    where parent_type = 'REFUND'
    group by marketplace_code, order_id, order_line_id, parent_id
),

final as (
    select
        orders.marketplace_code,
        orders.entity_code,
        refunds.refund_id,
        refunds.order_id,
        refunds.order_line_id,
        refunds.created_at,
        {{ money('refunds.amount') }} as amount,
        {{ money('coalesce(refunds.shipping_amount, 0)') }} as shipping_amount,
        {{ money('coalesce(refund_taxes.tax_amount, 0)') }} as tax_amount,
        {{ money('coalesce(refund_taxes.shipping_tax_amount, 0)') }} as shipping_tax_amount,
        {{ money('coalesce(refunds.commission_amount, 0)') }} as commission_amount,
        {{ money(
            'coalesce(refund_taxes.commission_vat_amount, refunds.commission_tax_amount, '
            ~ 'refunds.commission_total_amount - refunds.commission_amount, 0)'
        ) }} as commission_vat_amount,
        refunds.quantity,
        refunds.refund_state,
        refunds.reason_code,
        refunds.transaction_number,
        orders.currency_code
    from refunds
    inner join orders
        on
            refunds.marketplace_code = orders.marketplace_code
            and refunds.order_id = orders.order_id
    left join refund_taxes
        on
            refunds.marketplace_code = refund_taxes.marketplace_code
            and refunds.order_id = refund_taxes.order_id
            and refunds.order_line_id = refund_taxes.order_line_id
            and refunds.refund_id = refund_taxes.refund_id
)

select * from final

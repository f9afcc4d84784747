-- One row per order line, part of it (PRICE, SHIPPING) and tax code that it was sold with: what is charged of it once cancelations are off, and what
-- refunds have given back. Amounts positive, in the order's currency.
{{ config(materialized='view') }}

with taxes as (
    select * from {{ ref('stg_mirakl__order_line_taxes') }}
    where tax_kind in ('PRICE', 'SHIPPING')
),

summed as (
    select
        marketplace_code,
        order_id,
        order_line_id,
        tax_kind,
        tax_code,
        sum(case parent_type when 'LINE' then amount when 'CANCELATION' then -amount else 0 end) as charged_amount,
        sum(case when parent_type = 'REFUND' then amount else 0 end) as refunded_amount,
        sum(case when parent_type = 'LINE' and amount <> 0 then 1 else 0 end) as sold_count
    from taxes
    group by marketplace_code, order_id, order_line_id, tax_kind, tax_code
),

final as (
    select
        summed.marketplace_code,
        summed.order_id,
        summed.order_line_id,
        summed.tax_kind,
        summed.tax_code,
        {{ money('summed.charged_amount') }} as charged_amount,
        {{ money('summed.refunded_amount') }} as refunded_amount
    from summed
    where summed.sold_count > 0
)

select * from final

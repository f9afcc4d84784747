-- Grain: credit note on a marketplace's customer account, with the refund that it credits. It names the refund; where it names only
-- the order line or the order, the n-th of them over an amount takes the n-th refund of that amount that no other names.
-- Amounts positive, tax included, in the document's currency.
with

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}

),

refunds as (

    select
        refunds.*,
        cast(
            refunds.amount + refunds.shipping_amount + (refunds.tax_amount + refunds.shipping_tax_amount)
            * coalesce(sale_taxes.tax_sign, case when orders.tax_mode = 'TAX_EXCLUDED' then 1 else 0 end)
            as decimal(18, 2)
        ) as gross_amount
    from {{ ref('int_ledger__refunds') }} as refunds
    inner join {{ ref('int_ledger__orders') }} as orders
        on
            refunds.marketplace_code = orders.marketplace_code
            and refunds.order_id = orders.order_id
    left join {{ ref('int_matching__sale_taxes') }} as sale_taxes
        on
            refunds.marketplace_code = sale_taxes.marketplace_code
            and refunds.order_id = sale_taxes.order_id

),

notes as (

    select
        marketplaces.marketplace_code,
        marketplaces.entity_code,
        transactions.erp_code,
        transactions.posted_transaction_id as credit_note_id,
        transactions.urn,
        transactions.reference as document_no,
        transactions.second_reference as named_id,
        transactions.transaction_date,
        transactions.transaction_date < marketplaces.go_live_date as is_excluded,
        cast(-transactions.amount as decimal(18, 2)) as gross_amount,
        cast(-transactions.tax_amount as decimal(18, 2)) as tax_amount
    from {{ ref('int_ledger__erp_customer_transactions') }} as transactions
    inner join marketplaces
        on
            transactions.erp_code = marketplaces.erp_code
            and transactions.customer_reference = marketplaces.customer_reference
            and marketplaces.has_books
    where transactions.kind = 'CREDIT_NOTE'

),

by_refund as (

    select
        notes.marketplace_code,
        notes.erp_code,
        notes.credit_note_id,
        refunds.refund_id
    from notes
    inner join refunds
        on
            notes.marketplace_code = refunds.marketplace_code
            and notes.named_id = refunds.refund_id

),

open_notes as (

    select
        notes.*,
        row_number() over (
            partition by notes.marketplace_code, notes.named_id, notes.gross_amount
            order by notes.transaction_date, notes.credit_note_id
        ) as turn
    from notes
    left join by_refund
        on
            notes.erp_code = by_refund.erp_code
            and notes.credit_note_id = by_refund.credit_note_id
    where by_refund.credit_note_id is null

),

uncredited as (

    select refunds.*
    from refunds
    left join by_refund
        on
            refunds.marketplace_code = by_refund.marketplace_code
            and refunds.refund_id = by_refund.refund_id
    where by_refund.refund_id is null

),

nameable as (

    select
        marketplace_code,
        refund_id,
        order_line_id as named_id,
        gross_amount,
        created_at
    from uncredited
    union all
    select
        marketplace_code,
        refund_id,
        order_id as named_id,
        gross_amount,
        created_at
    from uncredited

),

open_refunds as (

    select
        nameable.*,
        row_number() over (
            partition by nameable.marketplace_code, nameable.named_id, nameable.gross_amount
            order by nameable.created_at, nameable.refund_id
        ) as turn
    from nameable

),

by_line_or_order as (

    select
        open_notes.marketplace_code,
        open_notes.erp_code,
        open_notes.credit_note_id,
        open_refunds.refund_id
    from open_notes
    inner join open_refunds
        on
            open_notes.marketplace_code = open_refunds.marketplace_code
            and open_notes.named_id = open_refunds.named_id
            and open_notes.gross_amount = open_refunds.gross_amount
            and open_notes.turn = open_refunds.turn

),

paired as (

    select * from by_refund
    union all
    select * from by_line_or_order

),

final as (

    select
        notes.marketplace_code,
        notes.entity_code,
        notes.erp_code,
        notes.credit_note_id,
        notes.urn,
        notes.document_no,
        notes.named_id,
        notes.transaction_date,
        coalesce(notes.is_excluded, false) as is_excluded,
        paired.refund_id,
        coalesce(refunds.order_id, order_lines.order_id, orders.order_id) as order_id,
        coalesce(refunds.order_line_id, order_lines.order_line_id) as order_line_id,
        notes.gross_amount,
        notes.tax_amount
    from notes
    left join paired
        on
            notes.erp_code = paired.erp_code
            and notes.credit_note_id = paired.credit_note_id
    left join refunds
        on
            paired.marketplace_code = refunds.marketplace_code
            and paired.refund_id = refunds.refund_id
    left join {{ ref('int_ledger__order_lines') }} as order_lines
        on
            notes.marketplace_code = order_lines.marketplace_code
            and notes.named_id = order_lines.order_line_id
    left join {{ ref('int_ledger__orders') }} as orders
        on
            notes.marketplace_code = orders.marketplace_code
            and notes.named_id = orders.order_id

)

select * from final

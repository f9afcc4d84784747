-- One row per subject and rule of level j that needs the books: is every refund credited and every credit note refunded, over the same
-- amount, with the VAT of the sale. Amounts tax included, in the order's currency.
{{ config(materialized='view') }}

with

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}

),

orders as {{ inlined() }} (

    select * from {{ ref('int_ledger__orders') }}

),

order_pairs as (

    select * from {{ ref('int_matching__order_pairs') }}

),

line_pairs as (

    select * from {{ ref('int_matching__order_line_pairs') }}
    where is_in_marketplace

),

notes as (

    select * from {{ ref('int_matching__credit_notes') }}

),

tolerances as (

    select * from {{ ref('int_ledger__tolerances') }}

),

credited as (

    select
        marketplace_code,
        refund_id,
        count(*) as note_count,
        min(document_no) as document_no,
        cast(sum(gross_amount) as decimal(18, 2)) as gross_amount,
        cast(sum(tax_amount) as decimal(18, 2)) as tax_amount
    from notes
    where refund_id is not null
    group by marketplace_code, refund_id

),

refunds as (

    select
        refunds.*,
        orders.is_excluded,
        orders.tax_mode,
        orders.order_date,
        marketplaces.has_books,
        marketplaces.as_of_date,
        marketplaces.time_zone,
        {{ local_date('refunds.created_at', 'marketplaces.time_zone') }} as refund_date,
        coalesce(sale_taxes.tax_sign, case when orders.tax_mode = 'TAX_EXCLUDED' then 1 else 0 end) as tax_sign
    from {{ ref('int_ledger__refunds') }} as refunds
    inner join orders
        on
            refunds.marketplace_code = orders.marketplace_code
            and refunds.order_id = orders.order_id
    left join {{ ref('int_matching__sale_taxes') }} as sale_taxes
        on
            refunds.marketplace_code = sale_taxes.marketplace_code
            and refunds.order_id = sale_taxes.order_id
    inner join marketplaces
        on refunds.marketplace_code = marketplaces.marketplace_code

),

summed as (

    select
        refunds.*,
        cast(refunds.amount + refunds.tax_sign * refunds.tax_amount as decimal(18, 2)) as goods_amount,
        cast(refunds.shipping_amount + refunds.tax_sign * refunds.shipping_tax_amount as decimal(18, 2))
            as carriage_amount,
        {{ add_business_days('refunds.refund_date', '1') }} as due_date,
        cast(sum(refunds.amount) over (
            partition by refunds.marketplace_code, refunds.order_line_id
            order by refunds.created_at, refunds.refund_id
            rows between unbounded preceding and current row
        ) as decimal(18, 2)) as goods_until_now,
        cast(sum(refunds.shipping_amount) over (
            partition by refunds.marketplace_code, refunds.order_line_id
            order by refunds.created_at, refunds.refund_id
            rows between unbounded preceding and current row
        ) as decimal(18, 2)) as carriage_until_now
    from refunds

),

compared as (

    select
        summed.*,
        cast(summed.goods_amount + summed.carriage_amount as decimal(18, 2)) as gross_amount,
        order_pairs.erp_order_id,
        order_pairs.document_no as erp_order_no,
        coalesce(order_pairs.erp_status = 'INVOICED', false) as is_invoiced,
        coalesce(credited.note_count, 0) as note_count,
        credited.document_no,
        coalesce(credited.gross_amount, 0) as credited_amount,
        coalesce(credited.tax_amount, 0) as credited_tax_amount,
        -- The credit note carries the tax of the sale as it was booked, right or wrong.
        case when line_pairs.erp_tax_amount = 0 then 0 else line_pairs.item_tax_rate_percent end as tax_rate_percent,
        coalesce(price_tolerance.amount, 0) as price_tolerance,
        coalesce(tax_tolerance.amount, 0) * 2 as tax_tolerance,
        {{ utc_from_local(
            'cast(' ~ add_days('summed.due_date', 1) ~ ' as timestamp)', 'summed.time_zone'
        ) }} as due_at
    from summed
    left join order_pairs
        on
            summed.marketplace_code = order_pairs.marketplace_code
            and summed.order_id = order_pairs.order_id
    left join line_pairs
        on
            summed.marketplace_code = line_pairs.marketplace_code
            and summed.order_id = line_pairs.order_id
            and summed.order_line_id = line_pairs.order_line_id
    left join credited
        on
            summed.marketplace_code = credited.marketplace_code
            and summed.refund_id = credited.refund_id
    left join tolerances as price_tolerance
        on
            price_tolerance.test_code = 'ORDER_PRICE'
            and summed.currency_code = price_tolerance.currency_code
            and summed.order_date >= price_tolerance.effective_from
            and (price_tolerance.effective_until is null or summed.order_date < price_tolerance.effective_until)
    left join tolerances as tax_tolerance
        on
            tax_tolerance.test_code = 'ORDER_TAX'
            and summed.currency_code = tax_tolerance.currency_code
            and summed.order_date >= tax_tolerance.effective_from
            and (tax_tolerance.effective_until is null or summed.order_date < tax_tolerance.effective_until)

),

-- Nothing was sold in the books before an invoice, so there is nothing to credit either.
refund_credited as (

    select
        marketplace_code,
        entity_code,
        'REFUND' as subject_type,
        refund_id as subject_id,
        'J010_CREDITED' as rule_code,
        case
            when is_excluded then 'EXCLUDED'
            when note_count > 0 then 'MATCHED'
            when erp_order_id is not null and not is_invoiced then 'MATCHED'
            when as_of_date <= due_date then 'TIMING'
            else 'EXCEPTION'
        end as status,
        'CRN-002' as exception_code,
        case when erp_order_id is not null and not is_invoiced then credited_amount else gross_amount end
            as expected_amount,
        -- Another amount is the next rule's finding, not an absence.
        case when note_count > 0 and (erp_order_id is null or is_invoiced) then gross_amount else credited_amount end
            as actual_amount,
        cast(0 as decimal(18, 2)) as tolerance_amount,
        currency_code,
        due_at,
        case when erp_order_id is null then 'ORDER' end as root_subject_type,
        case when erp_order_id is null then order_id end as root_subject_id,
        'refund ' || refund_id || ' of ' || cast(gross_amount as varchar) || ' ' || currency_code || ', given on '
        || cast(refund_date as varchar) || ' for line ' || order_line_id || ', has no credit note in the books'
        || coalesce('; ERP order ' || erp_order_no || ' is invoiced', '') as summary,
        order_id,
        order_line_id,
        refund_id,
        document_no,
        refund_date as subject_date
    from compared
    where has_books

),

note_refunded as (

    select
        notes.marketplace_code,
        notes.entity_code,
        'CREDIT_NOTE' as subject_type,
        notes.document_no as subject_id,
        'J010_CREDITED' as rule_code,
        case
            when notes.is_excluded or coalesce(orders.is_excluded, false) then 'EXCLUDED'
            when marketplaces.as_of_date <= {{ add_business_days('notes.transaction_date', '1') }} then 'TIMING'
            else 'EXCEPTION'
        end as status,
        'CRN-001' as exception_code,
        cast(0 as decimal(18, 2)) as expected_amount,
        notes.gross_amount as actual_amount,
        cast(0 as decimal(18, 2)) as tolerance_amount,
        marketplaces.currency_code,
        {{ utc_from_local(
            'cast(' ~ add_days(add_business_days('notes.transaction_date', '1'), 1) ~ ' as timestamp)',
            'marketplaces.time_zone'
        ) }} as due_at,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        'credit note ' || notes.document_no || ' of ' || cast(notes.gross_amount as varchar) || ' '
        || marketplaces.currency_code || ', posted on ' || cast(notes.transaction_date as varchar) || ' for '
        || coalesce('line ' || notes.order_line_id, 'order ' || notes.order_id, coalesce(notes.named_id, 'no order'))
        || ', has no refund at the marketplace: the customer has not been paid back'
        || case when orders.order_state = 'CLOSED' then '; the order is closed, only the operator can do it' else '' end
            as summary,
        notes.order_id,
        notes.order_line_id,
        cast(null as varchar) as refund_id,
        notes.document_no,
        notes.transaction_date as subject_date
    from notes
    inner join marketplaces
        on notes.marketplace_code = marketplaces.marketplace_code
    left join orders
        on
            notes.marketplace_code = orders.marketplace_code
            and notes.order_id = orders.order_id
    where notes.refund_id is null

),

credited_amount as (

    select
        marketplace_code,
        entity_code,
        'REFUND' as subject_type,
        refund_id as subject_id,
        'J020_AMOUNT' as rule_code,
        case
            when is_excluded then 'EXCLUDED'
            when credited_amount = gross_amount then 'MATCHED'
            when abs(credited_amount - gross_amount) <= price_tolerance then 'MATCHED_WITHIN_TOLERANCE'
            else 'EXCEPTION'
        end as status,
        'CRN-003' as exception_code,
        gross_amount as expected_amount,
        credited_amount as actual_amount,
        cast(price_tolerance as decimal(18, 2)) as tolerance_amount,
        currency_code,
        cast(null as timestamp) as due_at,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        'refund ' || refund_id || ' paid back ' || cast(gross_amount as varchar) || ' ' || currency_code || ', '
        || case
            when note_count = 1 then 'credit note ' || document_no || ' is over '
            else cast(note_count as varchar) || ' credit notes (' || document_no || ' the first) are over '
        end
        || cast(credited_amount as varchar) as summary,
        order_id,
        order_line_id,
        refund_id,
        document_no,
        refund_date as subject_date
    from compared
    where has_books and note_count > 0

),

-- The cumulative method: the last refund of a line takes the remainder of its tax.
taxed as (

    select
        compared.*,
        cast(
            {{ tax_in_gross('compared.goods_until_now', 'compared.tax_rate_percent') }}
            - {{ tax_in_gross('(compared.goods_until_now - compared.amount)', 'compared.tax_rate_percent') }}
            + {{ tax_in_gross('compared.carriage_until_now', 'compared.tax_rate_percent') }}
            - {{ tax_in_gross(
                '(compared.carriage_until_now - compared.shipping_amount)', 'compared.tax_rate_percent'
            ) }}
            as decimal(18, 2)
        ) as computed_tax_amount
    from compared
    where
        compared.has_books
        and compared.note_count > 0
        and compared.tax_rate_percent is not null
        and abs(compared.credited_amount - compared.gross_amount) <= compared.price_tolerance

),

credited_tax as (

    select
        marketplace_code,
        entity_code,
        'REFUND' as subject_type,
        refund_id as subject_id,
        'J030_CREDITED_TAX' as rule_code,
        case
            when is_excluded then 'EXCLUDED'
            when credited_tax_amount = computed_tax_amount then 'MATCHED'
            when abs(credited_tax_amount - computed_tax_amount) <= tax_tolerance then 'MATCHED_WITHIN_TOLERANCE'
            else 'EXCEPTION'
        end as status,
        'CRN-006' as exception_code,
        computed_tax_amount as expected_amount,
        credited_tax_amount as actual_amount,
        cast(tax_tolerance as decimal(18, 2)) as tolerance_amount,
        currency_code,
        cast(null as timestamp) as due_at,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        'credit note ' || document_no || ' for refund ' || refund_id || ' takes back '
        || cast(credited_tax_amount as varchar) || ' ' || currency_code || ' of VAT; at the rate of the sale it is '
        || cast(computed_tax_amount as varchar) as summary,
        order_id,
        order_line_id,
        refund_id,
        document_no,
        refund_date as subject_date
    from taxed

),

final as (

    select * from refund_credited
    union all
    select * from note_refunded
    union all
    select * from credited_amount
    union all
    select * from credited_tax

)

select * from final

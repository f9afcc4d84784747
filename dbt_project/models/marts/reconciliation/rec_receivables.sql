-- Level g, per order: what the books hold on the customer account for one order of the marketplace. invoiced - credited - settled - written off is
-- nil once everything sold and refunded is settled; until then it is TIMING. What another level has found wrong with the order
-- explains its residual, which is then a consequence; what nothing explains is CLR-003. Amounts tax included, in the order's currency.
{% set amounts = ['invoiced', 'credited', 'settled', 'written_off'] -%}
with

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}
    where has_books and posting_model = 'ORDER_LED'

),

orders as {{ inlined() }} (

    select * from {{ ref('int_ledger__orders') }}

),

notes as (

    select * from {{ ref('int_matching__credit_notes') }}

),

tolerances as (

    select * from {{ ref('int_ledger__tolerances') }}

),

erp_orders as (

    select
        erp_code,
        document_no,
        min(order_reference) as order_reference
    from {{ ref('int_ledger__erp_orders') }}
    where document_no is not null and not is_draft
    group by erp_code, document_no

),

-- An invoice of the order desk names the ERP's order, or the marketplace's where that is what the ERP keeps.
invoices as (

    select
        marketplaces.marketplace_code,
        coalesce(erp_orders.order_reference, transactions.second_reference) as order_id,
        transactions.amount
    from {{ ref('int_ledger__erp_customer_transactions') }} as transactions
    inner join marketplaces
        on transactions.erp_code = marketplaces.erp_code
    left join erp_orders
        on
            transactions.erp_code = erp_orders.erp_code
            and transactions.second_reference = erp_orders.document_no
    where transactions.kind = 'INVOICE'

),

movements as (

    select
        invoices.marketplace_code,
        invoices.order_id,
        invoices.amount as invoiced_amount,
        cast(0 as decimal(18, 2)) as credited_amount,
        cast(0 as decimal(18, 2)) as settled_amount,
        cast(0 as decimal(18, 2)) as written_off_amount,
        0 as waiting
    from invoices
    inner join orders
        on
            invoices.marketplace_code = orders.marketplace_code
            and invoices.order_id = orders.order_id
    union all
    select
        notes.marketplace_code,
        notes.order_id,
        cast(0 as decimal(18, 2)) as invoiced_amount,
        notes.gross_amount as credited_amount,
        cast(0 as decimal(18, 2)) as settled_amount,
        cast(0 as decimal(18, 2)) as written_off_amount,
        0 as waiting
    from notes
    inner join marketplaces
        on notes.marketplace_code = marketplaces.marketplace_code
    where notes.order_id is not null
    union all
    select
        lines.marketplace_code,
        lines.order_id,
        cast(0 as decimal(18, 2)) as invoiced_amount,
        cast(0 as decimal(18, 2)) as credited_amount,
        case when lines.billing_cycle_id is null then 0 else lines.amount end as settled_amount,
        cast(0 as decimal(18, 2)) as written_off_amount,
        case when lines.billing_cycle_id is null then 1 else 0 end as waiting
    from {{ ref('int_matching__transaction_lines') }} as lines
    inner join marketplaces
        on lines.marketplace_code = marketplaces.marketplace_code
    where
        lines.account_role = 'AR_MARKETPLACE'
        and lines.is_in_net
        and lines.order_id is not null
    union all
    select
        write_offs.marketplace_code,
        write_offs.subject_id as order_id,
        cast(0 as decimal(18, 2)) as invoiced_amount,
        cast(0 as decimal(18, 2)) as credited_amount,
        cast(0 as decimal(18, 2)) as settled_amount,
        -write_offs.net_debit as written_off_amount,
        0 as waiting
    from {{ ref('int_accounting__write_offs') }} as write_offs
    where write_offs.account_role = 'AR_MARKETPLACE'

),

balances as (

    select
        movements.marketplace_code,
        movements.order_id,
        {% for amount in amounts -%}
        cast(sum(movements.{{ amount }}_amount) as decimal(18, 2)) as {{ amount }}_amount,
        {% endfor -%}
        max(movements.waiting) as has_waiting_lines,
        max(case when movements.settled_amount <> 0 or movements.waiting = 1 then 1 else 0 end) as has_lines
    from movements
    group by movements.marketplace_code, movements.order_id

),

refund_timing as (

    select distinct
        marketplace_code,
        order_id
    from {{ ref('rec_refunds') }}
    where status = 'TIMING' and rule_code = 'J010_CREDITED' and order_id is not null

),

-- Findings of other levels that leave something on the account: by an amount, or (is_whole) by the document being absent or wrong
-- altogether, which no amount describes.
causes as (

    select
        marketplace_code,
        order_id,
        coalesce(root_subject_type, subject_type) as subject_type,
        coalesce(root_subject_id, subject_id) as subject_id,
        delta_amount as effect,
        case when exception_code in ('ORD-006', 'ORD-007', 'ORD-014') then 0 else 1 end as is_whole
    from {{ ref('rec_orders') }}
    where
        status = 'EXCEPTION'
        and exception_code in (
            'ORD-001', 'ORD-003', 'ORD-004', 'ORD-005', 'ORD-006', 'ORD-007', 'ORD-009', 'ORD-010', 'ORD-011',
            'ORD-013', 'ORD-014', 'TAX-001'
        )
    union all
    select
        marketplace_code,
        order_id,
        coalesce(root_subject_type, subject_type) as subject_type,
        coalesce(root_subject_id, subject_id) as subject_id,
        cast(-delta_amount as decimal(18, 2)) as effect,
        case
            when exception_code in ('SET-001', 'SET-006', 'SET-010') or root_subject_id is not null then 1 else 0
        end as is_whole
    from {{ ref('rec_settlement_lines') }}
    where
        status = 'EXCEPTION'
        and order_id is not null
        and (
            exception_code in ('SET-001', 'SET-002', 'SET-006', 'SET-010', 'SET-011', 'SET-013', 'SET-014')
            or (exception_code = 'SET-007' and fee_type in ('GOODS', 'SHIPPING'))
        )
    union all
    select
        marketplace_code,
        order_id,
        coalesce(root_subject_type, subject_type) as subject_type,
        coalesce(root_subject_id, subject_id) as subject_id,
        cast(-delta_amount as decimal(18, 2)) as effect,
        0 as is_whole
    from {{ ref('rec_refunds') }}
    where status = 'EXCEPTION' and exception_code in ('CRN-001', 'CRN-002', 'CRN-003') and order_id is not null
    union all
    select
        marketplace_code,
        order_id,
        subject_type,
        subject_id,
        cast(-delta_amount as decimal(18, 2)) as effect,
        0 as is_whole
    from {{ ref('rec_sale_taxes') }}
    where status = 'EXCEPTION' and exception_code = 'TAX-006'
    union all
    select
        marketplace_code,
        order_id,
        coalesce(root_subject_type, subject_type) as subject_type,
        coalesce(root_subject_id, subject_id) as subject_id,
        cast(0 as decimal(18, 2)) as effect,
        1 as is_whole
    from {{ ref('rec_dispatches') }}
    where status = 'EXCEPTION' and exception_code in ('DSP-001', 'DSP-002', 'DSP-006') and order_id is not null

),

explained as (

    select
        ranked.marketplace_code,
        ranked.order_id,
        min(case when ranked.rank_number = 1 then ranked.subject_type end) as root_subject_type,
        min(case when ranked.rank_number = 1 then ranked.subject_id end) as root_subject_id,
        cast(sum(coalesce(ranked.effect, 0)) as decimal(18, 2)) as effect,
        max(ranked.is_whole) as is_whole
    from (
        select
            causes.*,
            row_number() over (
                partition by causes.marketplace_code, causes.order_id
                order by
                    causes.is_whole desc,
                    coalesce(abs(causes.effect), 0) desc,
                    causes.subject_type asc,
                    causes.subject_id asc
            ) as rank_number
        from causes
    ) as ranked
    group by ranked.marketplace_code, ranked.order_id

),

judged as (

    select
        balances.*,
        marketplaces.entity_code,
        coalesce(orders.currency_code, marketplaces.currency_code) as currency_code,
        coalesce(orders.is_excluded, false) as is_excluded,
        orders.order_date,
        cast(
            balances.invoiced_amount - balances.credited_amount - balances.settled_amount - balances.written_off_amount
            as decimal(18, 2)
        ) as residual_amount,
        coalesce(tolerances.amount_cap, tolerances.amount, 0) as tolerance_amount,
        refund_timing.order_id is not null as has_refund_on_its_way,
        explained.root_subject_type,
        explained.root_subject_id,
        coalesce(explained.effect, 0) as explained_amount,
        coalesce(explained.is_whole, 0) as is_whole
    from balances
    inner join marketplaces
        on balances.marketplace_code = marketplaces.marketplace_code
    left join orders
        on
            balances.marketplace_code = orders.marketplace_code
            and balances.order_id = orders.order_id
    left join refund_timing
        on
            balances.marketplace_code = refund_timing.marketplace_code
            and balances.order_id = refund_timing.order_id
    left join explained
        on
            balances.marketplace_code = explained.marketplace_code
            and balances.order_id = explained.order_id
    left join tolerances
        on
            tolerances.test_code = 'ORDER_PRICE'
            and coalesce(orders.currency_code, marketplaces.currency_code) = tolerances.currency_code
            and coalesce(orders.order_date, marketplaces.as_of_date) >= tolerances.effective_from
            and (
                tolerances.effective_until is null
                or coalesce(orders.order_date, marketplaces.as_of_date) < tolerances.effective_until
            )

),

stated as (

    select
        judged.*,
        judged.is_whole = 1
        or (
            judged.root_subject_id is not null
            and abs(judged.residual_amount - judged.explained_amount) <= judged.tolerance_amount
        ) as is_explained,
        case
            when judged.is_excluded then 'EXCLUDED'
            when judged.residual_amount = 0 then 'MATCHED'
            when abs(judged.residual_amount) <= judged.tolerance_amount then 'MATCHED_WITHIN_TOLERANCE'
            when judged.has_waiting_lines = 1 or judged.has_lines = 0 or judged.has_refund_on_its_way then 'TIMING'
            else 'EXCEPTION'
        end as status
    from judged

),

final as (

    select
        stated.marketplace_code,
        stated.entity_code,
        'RECEIVABLE' as subject_type,
        stated.order_id as subject_id,
        'G050_RECEIVABLE' as rule_code,
        stated.status,
        case when stated.status = 'EXCEPTION' then 'CLR-003' end as exception_code,
        cast(0 as decimal(18, 2)) as expected_amount,
        stated.residual_amount as actual_amount,
        stated.residual_amount as delta_amount,
        {{ money('stated.tolerance_amount') }} as tolerance_amount,
        stated.currency_code,
        stated.order_id as left_id,
        cast(null as varchar) as right_id,
        cast(null as timestamp) as due_at,
        case when stated.status = 'EXCEPTION' and stated.is_explained then stated.root_subject_type end
            as root_subject_type,
        case when stated.status = 'EXCEPTION' and stated.is_explained then stated.root_subject_id end
            as root_subject_id,
        case
            when stated.status in ('EXCEPTION', 'TIMING')
                then
                    'order ' || stated.order_id || ' leaves ' || cast(stated.residual_amount as varchar) || ' '
                    || stated.currency_code || ' on the customer account: invoiced '
                    || cast(stated.invoiced_amount as varchar) || ', credited '
                    || cast(stated.credited_amount as varchar) || ', settled '
                    || cast(stated.settled_amount as varchar)
                    || case
                        when stated.written_off_amount <> 0
                            then ', written off ' || cast(stated.written_off_amount as varchar)
                        else ''
                    end
                    || case
                        when
                            stated.status = 'EXCEPTION'
                            and stated.root_subject_id is not null
                            and not stated.is_explained
                            then
                                '; other findings explain ' || cast(stated.explained_amount as varchar)
                        else ''
                    end
        end as summary,
        stated.order_id,
        stated.order_date as subject_date,
        {% for amount in amounts -%}
        stated.{{ amount }}_amount,
        {% endfor -%}
        stated.residual_amount
    from stated

)

select * from final

-- Grain: marketplace × currency × side × kind × subject. The ledger beside the marketplace's own balances (reference 9.g): customer
-- account, clearing and reserve on one side; pending, payable, reserve and pay-outs in transit on the other; and by id every item by
-- which the ledger is more (less: negative). LEDGER - MARKETPLACE - ITEM = nil. A settlement-led
-- seller has no customer account: what no settlement has booked yet is an item as a whole.
with

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}
    where has_books

),

movements as (

    select * from {{ ref('int_matching__clearing_movements') }}
    where account_role in ('MARKETPLACE_CLEARING', 'MARKETPLACE_RESERVE')

),

customer_transactions as (

    select
        marketplaces.marketplace_code,
        marketplaces.currency_code,
        transactions.erp_code,
        transactions.posted_transaction_id,
        transactions.urn,
        transactions.kind,
        transactions.reference,
        transactions.second_reference,
        transactions.amount
    from marketplaces
    inner join {{ ref('int_ledger__erp_customer_transactions') }} as transactions
        on
            marketplaces.erp_code = transactions.erp_code
            and marketplaces.customer_reference = transactions.customer_reference

),

erp_orders as (

    select
        orders.erp_code,
        orders.document_no,
        min(orders.order_reference) as order_id
    from {{ ref('int_ledger__erp_orders') }} as orders
    group by orders.erp_code, orders.document_no

),

credit_notes as (

    select * from {{ ref('int_matching__credit_notes') }}

),

journals as (

    select * from {{ ref('int_matching__journal_states') }}

),

journal_lines as (

    select * from {{ ref('int_accounting__journal_lines') }}
    where account_role = 'AR_MARKETPLACE'

),

lines as (

    select
        lines.*,
        marketplaces.currency_code as books_currency_code
    from marketplaces
    inner join {{ ref('int_matching__transaction_lines') }} as lines
        on
            marketplaces.marketplace_code = lines.marketplace_code
            and marketplaces.currency_code = lines.currency_code
    where not lines.is_informative

),

statements as (

    select * from {{ ref('int_matching__shop_balances') }}

),

cycles as (

    select * from {{ ref('int_matching__cycles') }}

),

cleared as (

    select
        decided.marketplace_code,
        decided.billing_cycle_id,
        sum(decided.cleared_amount) as cleared_amount
    from {{ ref('int_matching__receipts_decided') }} as decided
    inner join journals
        on
            decided.receipt_id = journals.receipt_id
            and journals.kind = 'PAYOUT_RECEIPT'
            and not journals.is_blocked
    where decided.is_decided
    group by decided.marketplace_code, decided.billing_cycle_id

),

attributed as (

    -- Whose document it is: an order's, a journal's, or nobody's.
    select
        transactions.marketplace_code,
        transactions.currency_code,
        transactions.urn,
        transactions.amount,
        journals.journal_key,
        case
            when transactions.kind = 'INVOICE' then coalesce(erp_orders.order_id, named_orders.order_id)
            when transactions.kind = 'CREDIT_NOTE' then credit_notes.order_id
        end as order_id
    from customer_transactions as transactions
    left join erp_orders
        on
            transactions.erp_code = erp_orders.erp_code
            and transactions.second_reference = erp_orders.document_no
    left join {{ ref('int_ledger__orders') }} as named_orders
        on
            transactions.marketplace_code = named_orders.marketplace_code
            and transactions.second_reference = named_orders.order_id
    left join credit_notes
        on
            transactions.erp_code = credit_notes.erp_code
            and transactions.posted_transaction_id = credit_notes.credit_note_id
    left join journals
        on
            transactions.kind not in ('INVOICE', 'CREDIT_NOTE')
            and transactions.erp_code = journals.erp_code
            and transactions.reference = journals.wire_key

),

entries as (

    select
        marketplace_code,
        currency_code,
        'LEDGER' as side,
        'AR_MARKETPLACE' as item_kind,
        'ACCOUNT' as subject_type,
        'AR_MARKETPLACE' as subject_id,
        amount
    from customer_transactions
    union all
    select
        marketplace_code,
        currency_code,
        'LEDGER' as side,
        account_role as item_kind,
        'ACCOUNT' as subject_type,
        account_role as subject_id,
        actual_amount as amount
    from movements
    {% for balance in ['pending', 'payable', 'reserve'] -%}
    union all
    select
        statements.marketplace_code,
        statements.currency_code,
        'MARKETPLACE' as side,
        '{{ balance | upper }}' as item_kind,
        'SHOP' as subject_type,
        statements.shop_id as subject_id,
        statements.{{ balance }}_amount as amount
    from statements
    inner join marketplaces
        on
            statements.marketplace_code = marketplaces.marketplace_code
            and statements.currency_code = marketplaces.currency_code
    {% endfor -%}
    union all
    select
        cycles.marketplace_code,
        cycles.currency_code,
        'MARKETPLACE' as side,
        'IN_TRANSIT' as item_kind,
        'CYCLE' as subject_type,
        cycles.billing_cycle_id as subject_id,
        cycles.payout_amount - coalesce(cleared.cleared_amount, 0) as amount
    from cycles
    inner join marketplaces
        on cycles.marketplace_code = marketplaces.marketplace_code
    left join cleared
        on
            cycles.marketplace_code = cleared.marketplace_code
            and cycles.billing_cycle_id = cleared.billing_cycle_id
    union all
    -- The marketplace's statement against its own lines: rec_clearing judges it by itself.
    select
        statements.marketplace_code,
        statements.currency_code,
        'ITEM' as side,
        'STATEMENT' as item_kind,
        'SHOP' as subject_type,
        statements.shop_id as subject_id,
        statements.line_amount + statements.line_reserve_amount
        - statements.pending_amount - statements.payable_amount - statements.reserve_amount as amount
    from statements
    inner join marketplaces
        on
            statements.marketplace_code = marketplaces.marketplace_code
            and statements.currency_code = marketplaces.currency_code
    union all
    -- Invoiced and not debited yet, debited and not invoiced yet, or two different amounts: level a, i and j say which.
    select
        marketplace_code,
        currency_code,
        'ITEM' as side,
        'ORDER' as item_kind,
        'ORDER' as subject_type,
        order_id as subject_id,
        amount
    from attributed
    where order_id is not null
    union all
    select
        lines.marketplace_code,
        lines.currency_code,
        'ITEM' as side,
        'ORDER' as item_kind,
        'ORDER' as subject_type,
        coalesce(lines.order_id, lines.transaction_line_id) as subject_id,
        -lines.amount as amount
    from lines
    where lines.is_in_net and lines.account_role = 'AR_MARKETPLACE'
    union all
    select
        marketplace_code,
        currency_code,
        'ITEM' as side,
        'CUSTOMER_ENTRY' as item_kind,
        'ERP_POSTING' as subject_type,
        urn as subject_id,
        amount
    from attributed
    where order_id is null and journal_key is null
    union all
    -- Fees and other lines that no settlement has booked yet.
    select
        lines.marketplace_code,
        lines.currency_code,
        'ITEM' as side,
        'UNPOSTED_FEES' as item_kind,
        case
            when lines.billing_cycle_id is not null then 'CYCLE' when lines.order_id is not null then 'ORDER'
            else 'TRANSACTION_LINE'
        end as subject_type,
        coalesce(lines.billing_cycle_id, lines.order_id, lines.transaction_line_id) as subject_id,
        -lines.amount as amount
    from lines
    left join journals
        on
            lines.marketplace_code = journals.marketplace_code
            and lines.billing_cycle_id = journals.billing_cycle_id
            and journals.kind = 'SETTLEMENT'
            and not journals.is_blocked
    where
        lines.is_in_net
        and journals.journal_key is null
        and lines.bucket <> 'RESERVE'
        and coalesce(lines.account_role, '') <> 'AR_MARKETPLACE'
    union all
    select
        marketplace_code,
        currency_code,
        'ITEM' as side,
        case movement_kind when 'OPENING' then 'OPENING' when 'UNEXPECTED' then 'UNEXPECTED' else 'JOURNAL' end
            as item_kind,
        case movement_kind when 'OPENING' then 'ACCOUNT' when 'UNEXPECTED' then 'ERP_POSTING' else 'JOURNAL' end
            as subject_type,
        case movement_kind when 'OPENING' then account_role else source_id end as subject_id,
        -- What was open at go-live is in the books and on no statement.
        actual_amount - case when movement_kind = 'OPENING' then 0 else expected_amount end as amount
    from movements
    union all
    select
        attributed.marketplace_code,
        attributed.currency_code,
        'ITEM' as side,
        'JOURNAL' as item_kind,
        'JOURNAL' as subject_type,
        attributed.journal_key as subject_id,
        attributed.amount
    from attributed
    where attributed.journal_key is not null
    union all
    select
        journals.marketplace_code,
        journals.currency_code,
        'ITEM' as side,
        'JOURNAL' as item_kind,
        'JOURNAL' as subject_type,
        journals.journal_key as subject_id,
        journal_lines.credit - journal_lines.debit as amount
    from journals
    inner join marketplaces
        on journals.marketplace_code = marketplaces.marketplace_code
    inner join journal_lines
        on journals.journal_key = journal_lines.journal_key
    where not journals.is_blocked
    union all
    -- What people gave up is off our books and still on the marketplace's.
    select
        write_offs.marketplace_code,
        marketplaces.currency_code,
        'ITEM' as side,
        'WRITTEN_OFF' as item_kind,
        'JOURNAL' as subject_type,
        states.journal_key as subject_id,
        write_offs.net_debit as amount
    from {{ ref('int_accounting__write_offs') }} as write_offs
    inner join marketplaces
        on write_offs.marketplace_code = marketplaces.marketplace_code
    inner join journals as states
        on
            write_offs.marketplace_code = states.marketplace_code
            and write_offs.write_off_id = states.document_id
            and states.kind = 'WRITE_OFF'
            and not states.is_blocked
    union all
    select
        decided.marketplace_code,
        marketplaces.currency_code,
        'ITEM' as side,
        'OVER_PAID' as item_kind,
        'RECEIPT' as subject_type,
        decided.receipt_id as subject_id,
        -decided.excess_amount as amount
    from {{ ref('int_matching__receipts_decided') }} as decided
    inner join marketplaces
        on decided.marketplace_code = marketplaces.marketplace_code
    inner join journals
        on
            decided.receipt_id = journals.receipt_id
            and journals.kind = 'PAYOUT_RECEIPT'
            and not journals.is_blocked
    where decided.is_decided

),

summed as (

    select
        entries.marketplace_code,
        entries.currency_code,
        entries.side,
        entries.item_kind,
        entries.subject_type,
        entries.subject_id,
        cast(sum(entries.amount) as decimal(18, 2)) as amount
    from entries
    group by
        entries.marketplace_code,
        entries.currency_code,
        entries.side,
        entries.item_kind,
        entries.subject_type,
        entries.subject_id
    having sum(entries.amount) <> 0

),

final as (

    select
        summed.marketplace_code,
        marketplaces.entity_code,
        summed.currency_code,
        summed.side,
        summed.item_kind,
        summed.subject_type,
        summed.subject_id,
        summed.amount
    from summed
    inner join marketplaces
        on summed.marketplace_code = marketplaces.marketplace_code

)

select * from final

-- Grain: root finding whose cause this warehouse can tell, by the rule of accounting 9.1. What is not here has its code's usual cause.
--   ERP_DATA      the record was refused at delivery, or its item is unknown; the books depart from their own price list
--   HUMAN         a posting that no action of ours has sent: a person's
--   SYNC          what we sent ourselves, or what is out of step for longer than its window
--   TIMING        still within the window, or held up by an open incident
--   COUNTERPARTY  ours is right by order, contract and complete feeds, and the time is over
--   MKT_CONFIG    the offer asks what our price list never asked
with

findings as (

    select
        findings.exception_code,
        findings.marketplace_code,
        findings.subject_type,
        findings.subject_id
    from {{ ref('int_matching__findings') }} as findings
    where
        findings.is_root
        and findings.exception_code in (
            'BNK-007', 'JNL-001', 'JNL-002', 'JNL-005', 'OFR-006', 'ORD-001', 'ORD-006', 'ORD-013', 'PAY-001',
            'SET-001', 'SET-002'
        )
    group by findings.exception_code, findings.marketplace_code, findings.subject_type, findings.subject_id

),

orders as {{ inlined() }} (

    select * from {{ ref('int_ledger__orders') }}

),

order_lines as {{ inlined() }} (

    select * from {{ ref('int_ledger__order_lines') }}

),

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}

),

unknown_items as (

    select
        orders.marketplace_code,
        orders.order_id
    from findings
    inner join orders
        on findings.marketplace_code = orders.marketplace_code and findings.subject_id = orders.order_id
    inner join order_lines
        on orders.marketplace_code = order_lines.marketplace_code and orders.order_id = order_lines.order_id
    left join {{ ref('int_ledger__items') }} as items
        on orders.erp_code = items.erp_code and order_lines.item_code = items.item_code
    where findings.exception_code = 'ORD-001' and items.item_code is null
    group by orders.marketplace_code, orders.order_id

),

refused_actions as (

    select
        actions.marketplace_code,
        actions.natural_id
    from {{ ref('int_ledger__outbox_actions') }} as actions
    where actions.state = 'FAILED'
    group by actions.marketplace_code, actions.natural_id

),

listed_lines as (

    -- What the customer paid is what our own list asks.
    select
        order_lines.marketplace_code,
        order_lines.order_line_id
    from findings
    inner join order_lines
        on findings.marketplace_code = order_lines.marketplace_code and findings.subject_id = order_lines.order_line_id
    inner join {{ ref('int_matching__offer_prices') }} as prices
        on
            order_lines.marketplace_code = prices.marketplace_code
            and order_lines.item_code = prices.item_code
    where
        findings.exception_code = 'ORD-006'
        and order_lines.price_amount = cast(prices.price_amount * order_lines.quantity as decimal(18, 2))

),

order_findings as (

    select
        compared.marketplace_code,
        compared.order_line_id
    from {{ ref('rec_orders') }} as compared
    where compared.status = 'EXCEPTION' and compared.order_line_id is not null
    group by compared.marketplace_code, compared.order_line_id

),

broken_cycles as (

    select
        compared.marketplace_code,
        compared.subject_id
    from {{ ref('rec_cycles') }} as compared
    where compared.exception_code = 'PAY-009'
    group by compared.marketplace_code, compared.subject_id

),

due_sales as (

    -- Sales whose time for settlement is over, by what may still hold them back.
    select
        compared.marketplace_code,
        compared.subject_type,
        compared.subject_id,
        max(case when orders.has_incident then 1 else 0 end) as has_incident
    from {{ ref('rec_settlement_lines') }} as compared
    left join orders
        on compared.marketplace_code = orders.marketplace_code and compared.order_id = orders.order_id
    where compared.exception_code = 'SET-001'
    group by compared.marketplace_code, compared.subject_type, compared.subject_id

),

fresh_cycles as (

    select feeds.marketplace_code
    from {{ ref('int_ledger__feed_freshness') }} as feeds
    where feeds.entity = 'billing_cycles' and not feeds.is_stale
    group by feeds.marketplace_code

),

judged as (

    select
        findings.exception_code,
        findings.marketplace_code,
        findings.subject_type,
        findings.subject_id,
        case
            when findings.exception_code in ('ORD-001', 'JNL-001') and refused_actions.natural_id is not null
                then 'ERP_DATA'
            when findings.exception_code = 'ORD-001' and unknown_items.order_id is not null then 'ERP_DATA'
            when findings.exception_code in ('JNL-002', 'JNL-005')
                then
                    case
                        when journals.action_state in ('SENDING', 'SENT', 'UNKNOWN', 'VERIFIED') then 'SYNC'
                        else 'HUMAN'
                    end
            when findings.exception_code = 'ORD-006' and listed_lines.order_line_id is not null then 'ERP_DATA'
            when findings.exception_code = 'ORD-013'
                then
                    case
                        when {{ add_minutes('orders.updated_at', 'marketplaces.order_import_minutes') }} < {{ as_of() }}
                            then 'SYNC'
                        else 'TIMING'
                    end
            when findings.exception_code = 'OFR-006' and offers.price_amount <> prices.price_amount then 'MKT_CONFIG'
            when findings.exception_code = 'SET-001'
                then case when due_sales.has_incident = 1 then 'TIMING' else 'COUNTERPARTY' end
            when findings.exception_code = 'SET-002' and order_findings.order_line_id is null then 'COUNTERPARTY'
            when findings.exception_code = 'PAY-001' and broken_cycles.subject_id is null then 'COUNTERPARTY'
            when findings.exception_code = 'BNK-007' and fresh_cycles.marketplace_code is not null then 'COUNTERPARTY'
        end as root_cause
    from findings
    inner join marketplaces
        on findings.marketplace_code = marketplaces.marketplace_code
    left join orders
        on findings.marketplace_code = orders.marketplace_code and findings.subject_id = orders.order_id
    left join unknown_items
        on findings.marketplace_code = unknown_items.marketplace_code and findings.subject_id = unknown_items.order_id
    left join refused_actions
        on
            findings.marketplace_code = refused_actions.marketplace_code
            and findings.subject_id = refused_actions.natural_id
    left join {{ ref('int_matching__journal_states') }} as journals
        on findings.subject_id = journals.journal_key
    left join listed_lines
        on
            findings.marketplace_code = listed_lines.marketplace_code
            and findings.subject_id = listed_lines.order_line_id
    left join {{ ref('int_ledger__offers') }} as offers
        on findings.marketplace_code = offers.marketplace_code and findings.subject_id = offers.shop_sku
    left join {{ ref('int_matching__offer_prices') }} as prices
        on findings.marketplace_code = prices.marketplace_code and offers.item_code = prices.item_code
    left join due_sales
        on
            findings.marketplace_code = due_sales.marketplace_code
            and findings.subject_type = due_sales.subject_type
            and findings.subject_id = due_sales.subject_id
    left join order_findings
        on
            findings.marketplace_code = order_findings.marketplace_code
            and findings.subject_id = order_findings.order_line_id
    left join broken_cycles
        on findings.marketplace_code = broken_cycles.marketplace_code and findings.subject_id = broken_cycles.subject_id
    left join fresh_cycles
        on findings.marketplace_code = fresh_cycles.marketplace_code

),

final as (

    select
        judged.exception_code,
        judged.marketplace_code,
        judged.subject_type,
        judged.subject_id,
        min(judged.root_cause) as root_cause
    from judged
    where judged.root_cause is not null
    group by judged.exception_code, judged.marketplace_code, judged.subject_type, judged.subject_id

)

select * from final

-- Grain: entry of a journal of a marketplace in another currency than its entity's books, with its functional amount, and one entry more
-- per journal for the exchange difference. Fees, tax and clearing are translated at the rate of the posting date. The customer account is
-- relieved at what its invoices and credit notes stand at, clearing at what its settlements stand at, each by its share, so that nothing
-- stays behind when all of it is settled or paid. The bank is what came. FX_REALISED is what that leaves: nil in the document's currency,
-- and nothing else ends there. net_debit, functional_net_debit = debit - credit; the latter is null where a rate is missing.
{{ config(schema='accounting', materialized='table') }}

with

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}
    where has_books and currency_code <> functional_currency

),

entries as (

    select
        unioned.*,
        marketplaces.functional_currency
    from (
        select * from {{ ref('int_accounting__settlement_entries') }}
        union all
        select * from {{ ref('int_accounting__receipt_entries') }}
    ) as unioned
    inner join marketplaces
        on unioned.marketplace_code = marketplaces.marketplace_code

),

rates as (

    select * from {{ ref('int_ledger__daily_rates') }}

),

cycles as (

    select cycles.*
    from {{ ref('int_matching__cycles') }} as cycles
    inner join marketplaces
        on cycles.marketplace_code = marketplaces.marketplace_code

),

erp_orders as (

    select
        orders.erp_code,
        orders.document_no,
        min(orders.order_reference) as order_reference
    from {{ ref('int_ledger__erp_orders') }} as orders
    where orders.document_no is not null and not orders.is_draft
    group by orders.erp_code, orders.document_no

),

carrying_documents as (

    -- What the customer account holds for an order: its invoices for what is sold, its credit notes for what is refunded.
    select
        marketplaces.marketplace_code,
        'SALES' as side,
        coalesce(erp_orders.order_reference, transactions.second_reference) as order_id,
        transactions.amount,
        transactions.functional_amount
    from marketplaces
    inner join {{ ref('int_ledger__erp_customer_transactions') }} as transactions
        on
            marketplaces.erp_code = transactions.erp_code
            and marketplaces.customer_reference = transactions.customer_reference
    left join erp_orders
        on
            transactions.erp_code = erp_orders.erp_code
            and transactions.second_reference = erp_orders.document_no
    where transactions.kind = 'INVOICE'
    union all
    select
        notes.marketplace_code,
        'REFUNDS' as side,
        notes.order_id,
        -notes.gross_amount as amount,
        transactions.functional_amount
    from {{ ref('int_matching__credit_notes') }} as notes
    inner join marketplaces
        on notes.marketplace_code = marketplaces.marketplace_code
    inner join {{ ref('int_ledger__erp_customer_transactions') }} as transactions
        on
            notes.erp_code = transactions.erp_code
            and notes.credit_note_id = transactions.posted_transaction_id
    where notes.order_id is not null

),

carrying_amounts as (

    select
        carrying_documents.marketplace_code,
        carrying_documents.side,
        carrying_documents.order_id,
        sum(carrying_documents.amount) as amount,
        sum(carrying_documents.functional_amount) as functional_amount
    from carrying_documents
    group by carrying_documents.marketplace_code, carrying_documents.side, carrying_documents.order_id
    having sum(carrying_documents.amount) <> 0

),

customer_lines as (

    select
        lines.marketplace_code,
        lines.billing_cycle_id,
        cycles.cycle_date,
        marketplaces.entity_code,
        marketplaces.currency_code,
        marketplaces.functional_currency,
        coalesce(lines.order_id, '') as order_id,
        case when lines.amount > 0 then 'SALES' else 'REFUNDS' end as side,
        sum(lines.amount) as amount
    from {{ ref('int_matching__transaction_lines') }} as lines
    inner join cycles
        on
            lines.marketplace_code = cycles.marketplace_code
            and lines.billing_cycle_id = cycles.billing_cycle_id
    inner join marketplaces
        on lines.marketplace_code = marketplaces.marketplace_code
    where lines.is_in_net and lines.is_mapped and lines.account_role = 'AR_MARKETPLACE'
    group by
        lines.marketplace_code,
        lines.billing_cycle_id,
        cycles.cycle_date,
        marketplaces.entity_code,
        marketplaces.currency_code,
        marketplaces.functional_currency,
        coalesce(lines.order_id, ''),
        case when lines.amount > 0 then 'SALES' else 'REFUNDS' end

),

settled_until as (

    select
        customer_lines.*,
        sum(customer_lines.amount) over (
            partition by customer_lines.marketplace_code, customer_lines.order_id, customer_lines.side
            order by customer_lines.cycle_date, customer_lines.billing_cycle_id
            rows between unbounded preceding and current row
        ) as amount_until
    from customer_lines

),

customer_relief as (

    -- Without a document of the ERP the money is cash on account, and stands at the rate of its settlement.
    select
        settled_until.marketplace_code,
        settled_until.billing_cycle_id,
        settled_until.side,
        -sum(
            case
                when carrying_amounts.order_id is null
                    then {{ functional_money(
                        'settled_until.amount', 'rates.exchange_rate', 'settled_until.functional_currency'
                    ) }}
                else
                    {{ carried_part(
                        'carrying_amounts.functional_amount', 'settled_until.amount_until', 'carrying_amounts.amount'
                    ) }}
                    - {{ carried_part(
                        'carrying_amounts.functional_amount',
                        'settled_until.amount_until - settled_until.amount',
                        'carrying_amounts.amount'
                    ) }}
            end
        ) as functional_net_debit
    from settled_until
    left join carrying_amounts
        on
            settled_until.marketplace_code = carrying_amounts.marketplace_code
            and settled_until.order_id = carrying_amounts.order_id
            and settled_until.side = carrying_amounts.side
    left join rates
        on
            settled_until.entity_code = rates.entity_code
            and settled_until.currency_code = rates.currency_code
            and settled_until.cycle_date = rates.rate_day
    group by settled_until.marketplace_code, settled_until.billing_cycle_id, settled_until.side

),

translated as (

    select
        entries.*,
        rates.exchange_rate,
        rates.rate_source,
        rates.rate_date,
        rates.rate_id,
        rates.rate_fault,
        case
            when entries.kind = 'SETTLEMENT' and customer_relief.side is not null
                then customer_relief.functional_net_debit
            else {{ functional_money('entries.net_debit', 'rates.exchange_rate', 'entries.functional_currency') }}
        end as functional_net_debit
    from entries
    left join rates
        on
            entries.entity_code = rates.entity_code
            and entries.currency_code = rates.currency_code
            and entries.posting_date = rates.rate_day
    left join customer_relief
        on
            entries.marketplace_code = customer_relief.marketplace_code
            and entries.document_id = customer_relief.billing_cycle_id
            and entries.account_role = 'AR_MARKETPLACE'
            and entries.side = customer_relief.side

),

paid_groups as (

    -- A pay-out clears its own cycle and those before it that paid nothing.
    select
        cycles.marketplace_code,
        coalesce(cycles.paying_cycle_id, cycles.billing_cycle_id) as billing_cycle_id,
        sum(translated.net_debit) as amount,
        case
            when count(*) = count(translated.functional_net_debit) then sum(translated.functional_net_debit)
        end as functional_amount,
        min(case when translated.rate_fault is not null then translated.rate_id end) as rate_id,
        min(translated.rate_fault) as rate_fault
    from cycles
    inner join translated
        on
            cycles.marketplace_code = translated.marketplace_code
            and cycles.billing_cycle_id = translated.document_id
            and translated.kind = 'SETTLEMENT'
            and translated.account_role = 'MARKETPLACE_CLEARING'
    group by cycles.marketplace_code, coalesce(cycles.paying_cycle_id, cycles.billing_cycle_id)
    having sum(translated.net_debit) <> 0

),

allocations as (

    select
        decided.receipt_id,
        decided.marketplace_code,
        decided.billing_cycle_id,
        decided.cleared_amount,
        decided.cleared_currency_code,
        decided.received_amount,
        sum(decided.cleared_amount) over (
            partition by decided.marketplace_code, decided.billing_cycle_id
            order by receipts.value_date, decided.receipt_id
            rows between unbounded preceding and current row
        ) as cleared_until
    from {{ ref('int_matching__receipts_decided') }} as decided
    inner join {{ ref('int_matching__receipts') }} as receipts
        on decided.receipt_id = receipts.receipt_id
    inner join marketplaces
        on decided.marketplace_code = marketplaces.marketplace_code
    where decided.is_decided and decided.billing_cycle_id is not null

),

receipt_relief as (

    select
        allocations.receipt_id,
        sum(case when allocations.cleared_currency_code is not null then allocations.received_amount end)
            as received_amount,
        sum(allocations.cleared_amount) as cleared_amount,
        case
            when count(*) = count(paid_groups.functional_amount)
                then
                    sum(
                        {{ carried_part(
                            'paid_groups.functional_amount', 'allocations.cleared_until', 'paid_groups.amount'
                        ) }}
                        - {{ carried_part(
                            'paid_groups.functional_amount',
                            'allocations.cleared_until - allocations.cleared_amount',
                            'paid_groups.amount'
                        ) }}
                    )
        end as functional_amount,
        min(paid_groups.rate_id) as rate_id,
        min(paid_groups.rate_fault) as rate_fault
    from allocations
    left join paid_groups
        on
            allocations.marketplace_code = paid_groups.marketplace_code
            and allocations.billing_cycle_id = paid_groups.billing_cycle_id
    group by allocations.receipt_id

),

relieved as (

    select
        translated.entity_code,
        translated.marketplace_code,
        translated.kind,
        translated.document_id,
        translated.posting_date,
        translated.currency_code,
        translated.account_role,
        translated.tax_base_role,
        translated.side,
        translated.net_debit,
        translated.line_group,
        -- What the bank exchanged has the bank's rate.
        case
            when receipt_relief.received_amount is null then translated.exchange_rate
            else cast(cast({{ round_ratio(
                'cast(round(receipt_relief.received_amount * 100) as bigint) * 100000000',
                'cast(round(receipt_relief.cleared_amount * 100) as bigint)'
            ) }} as decimal(18, 0)) * cast(0.00000001 as decimal(9, 8)) as decimal(18, 8))
        end as exchange_rate,
        case when receipt_relief.received_amount is null then translated.rate_source else 'BANK' end as rate_source,
        case
            when receipt_relief.received_amount is null then translated.rate_date else translated.posting_date
        end as rate_date,
        -- What the bank exchanged needs no rate of ours, but what it clears was settled with one.
        case
            when receipt_relief.rate_fault is not null then receipt_relief.rate_id
            when receipt_relief.received_amount is not null then null
            when translated.rate_fault is not null or translated.exchange_rate is null then translated.rate_id
        end as rate_id,
        case
            when translated.kind <> 'PAYOUT_RECEIPT' then translated.functional_net_debit
            when translated.account_role = 'BANK'
                then coalesce(receipt_relief.received_amount, translated.functional_net_debit)
            when translated.account_role = 'MARKETPLACE_CLEARING' and translated.side = 'PAYOUT'
                then -receipt_relief.functional_amount
            else translated.functional_net_debit
        end as functional_net_debit
    from translated
    left join receipt_relief
        on
            translated.kind = 'PAYOUT_RECEIPT'
            and translated.document_id = receipt_relief.receipt_id

),

differences as (

    select
        relieved.entity_code,
        relieved.marketplace_code,
        relieved.kind,
        relieved.document_id,
        relieved.posting_date,
        relieved.currency_code,
        min(relieved.exchange_rate) as exchange_rate,
        min(relieved.rate_source) as rate_source,
        min(relieved.rate_date) as rate_date,
        min(relieved.rate_id) as rate_id,
        -sum(relieved.functional_net_debit) as functional_net_debit
    from relieved
    group by
        relieved.entity_code,
        relieved.marketplace_code,
        relieved.kind,
        relieved.document_id,
        relieved.posting_date,
        relieved.currency_code
    having count(*) = count(relieved.functional_net_debit) and sum(relieved.functional_net_debit) <> 0

),

final as (

    select
        relieved.entity_code,
        relieved.marketplace_code,
        relieved.kind,
        relieved.document_id,
        relieved.posting_date,
        relieved.currency_code,
        relieved.account_role,
        relieved.tax_base_role,
        relieved.side,
        relieved.net_debit,
        relieved.line_group,
        cast(relieved.functional_net_debit as decimal(18, 2)) as functional_net_debit,
        relieved.exchange_rate,
        relieved.rate_source,
        relieved.rate_date,
        relieved.rate_id as bad_rate_id
    from relieved
    union all
    select
        differences.entity_code,
        differences.marketplace_code,
        differences.kind,
        differences.document_id,
        differences.posting_date,
        differences.currency_code,
        'FX_REALISED' as account_role,
        cast(null as varchar) as tax_base_role,
        'RATE' as side,
        cast(0 as decimal(18, 2)) as net_debit,
        90 as line_group,
        cast(differences.functional_net_debit as decimal(18, 2)) as functional_net_debit,
        differences.exchange_rate,
        differences.rate_source,
        differences.rate_date,
        differences.rate_id as bad_rate_id
    from differences

)

select * from final

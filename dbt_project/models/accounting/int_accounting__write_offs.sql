-- Grain: account role × subject of an exception that people have written off and whose amount stands on an account of ours
-- (exception_codes.csv, write_off_account): what the account loses, on the day of the decision, and where it goes. Within the limit of an
-- item (tolerances.csv, WRITE_OFF) that is ROUNDING, beyond it MARKETPLACE_ADJUSTMENTS. Of the customer account the order's own balance
-- says which side; a pay-out that is not or only in part received is always a debit of clearing. One subject is written off once. Only in
-- the currency of the books. net_debit = debit - credit of account_role.
with

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}
    where has_books and currency_code = functional_currency

),

decisions as (

    select ranked.*
    from (
        select
            decisions.marketplace_code,
            decisions.exception_id || '-' || cast(decisions.decision_number as varchar) as write_off_id,
            decisions.exception_id,
            decisions.exception_code,
            decisions.subject_id,
            abs(decisions.amount) as amount,
            decisions.currency_code,
            codes.write_off_account as account_role,
            {{ local_date('decisions.decided_at', 'marketplaces.time_zone') }} as posting_date,
            marketplaces.erp_code,
            row_number() over (
                partition by decisions.marketplace_code, codes.write_off_account, decisions.subject_id
                order by decisions.decision_number
            ) as decision_place
        from {{ ref('stg_tieout__decisions') }} as decisions
        inner join marketplaces
            on
                decisions.marketplace_code = marketplaces.marketplace_code
                and decisions.currency_code = marketplaces.functional_currency
        inner join {{ ref('stg_tieout__exception_codes') }} as codes
            on decisions.exception_code = codes.exception_code
        where
            decisions.kind = 'WRITE_OFF'
            and decisions.is_effective
            and decisions.amount <> 0
            and codes.write_off_account is not null
    ) as ranked
    where ranked.decision_place = 1

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

of_orders as (

    select * from decisions
    where account_role = 'AR_MARKETPLACE'

),

-- What the customer account holds of an order, as rec_receivables has it.
balances as (

    select
        held.marketplace_code,
        held.order_id,
        sum(held.amount) as amount
    from (
        select
            of_orders.marketplace_code,
            of_orders.subject_id as order_id,
            transactions.amount
        from {{ ref('int_ledger__erp_customer_transactions') }} as transactions
        left join erp_orders
            on
                transactions.erp_code = erp_orders.erp_code
                and transactions.second_reference = erp_orders.document_no
        inner join of_orders
            on
                transactions.erp_code = of_orders.erp_code
                and coalesce(erp_orders.order_reference, transactions.second_reference) = of_orders.subject_id
        where transactions.kind = 'INVOICE'
        union all
        select
            of_orders.marketplace_code,
            of_orders.subject_id as order_id,
            -notes.gross_amount as amount
        from {{ ref('int_matching__credit_notes') }} as notes
        inner join of_orders
            on
                notes.erp_code = of_orders.erp_code
                and notes.order_id = of_orders.subject_id
        union all
        select
            of_orders.marketplace_code,
            of_orders.subject_id as order_id,
            -lines.amount as amount
        from {{ ref('int_matching__transaction_lines') }} as lines
        inner join of_orders
            on
                lines.marketplace_code = of_orders.marketplace_code
                and lines.order_id = of_orders.subject_id
        where lines.account_role = 'AR_MARKETPLACE' and lines.is_in_net and lines.billing_cycle_id is not null
    ) as held
    group by held.marketplace_code, held.order_id

),

sided as (

    select
        of_orders.*,
        case when balances.amount < 0 then of_orders.amount else -of_orders.amount end as net_debit
    from of_orders
    inner join balances
        on
            of_orders.marketplace_code = balances.marketplace_code
            and of_orders.subject_id = balances.order_id
            and balances.amount <> 0
    union all
    select
        decisions.*,
        -decisions.amount as net_debit
    from decisions
    inner join {{ ref('int_matching__cycles') }} as cycles
        on
            decisions.marketplace_code = cycles.marketplace_code
            and decisions.subject_id = cycles.billing_cycle_id
            and cycles.payout_amount > 0
    where decisions.account_role = 'MARKETPLACE_CLEARING'

),

final as (

    select
        sided.marketplace_code,
        sided.write_off_id,
        sided.exception_id,
        sided.exception_code,
        sided.subject_id,
        sided.posting_date,
        sided.account_role,
        case
            when sided.amount <= coalesce(tolerances.amount, 0) then 'ROUNDING'
            else 'MARKETPLACE_ADJUSTMENTS'
        end as written_to_role,
        cast(sided.net_debit as decimal(18, 2)) as net_debit
    from sided
    left join {{ ref('int_ledger__tolerances') }} as tolerances
        on
            tolerances.test_code = 'WRITE_OFF'
            and sided.currency_code = tolerances.currency_code
            and sided.posting_date >= tolerances.effective_from
            and (tolerances.effective_until is null or sided.posting_date < tolerances.effective_until)

)

select * from final

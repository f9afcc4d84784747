-- One row per ERP company and posted transaction of a customer's account. amount as the ledger shows it, in the document's
-- currency: invoices positive (the customer owes more), receipts and credit notes negative; goods and tax likewise. functional_amount is
-- the same in the company's own currency, at the rate of the document.

with
{% if uses('sage200') -%}
sage200 as (
    select
        transactions.erp_code,
        transactions.posted_transaction_id,
        customers.customer_reference,
        transactions.urn,
        case transactions.trader_transaction_type
            when 'TradingAccountEntryTypeInvoice' then 'INVOICE'
            when 'TradingAccountEntryTypeCreditNote' then 'CREDIT_NOTE'
            when 'TradingAccountEntryTypePurchasePaymentSalesReceipt' then 'RECEIPT'
            when 'TradingAccountEntryTypePurchaseReceiptSalesPayment' then 'PAYMENT'
            when 'TradingAccountEntryTypeOpeningBalanceInvoice' then 'INVOICE'
            when 'TradingAccountEntryTypeOpeningBalanceCreditNote' then 'CREDIT_NOTE'
            else 'OTHER'
        end as kind,
        transactions.reference,
        transactions.second_reference,
        transactions.transaction_date,
        transactions.gross_amount as amount,
        coalesce(transactions.base_gross_amount, transactions.gross_amount) as functional_amount,
        coalesce(transactions.tax_amount, 0) as tax_amount,
        coalesce(transactions.outstanding_amount, 0) as outstanding_amount
    from {{ ref('stg_sage200__sales_posted_transactions') }} as transactions
    left join {{ ref('stg_sage200__customers') }} as customers
        on
            transactions.erp_code = customers.erp_code
            and transactions.customer_id = customers.customer_id
),

{% endif -%}
{% if uses('netsuite') -%}
receivables as (
    -- Every leg on a receivable account is an entry of the customer's account, whatever document caused it. One in another currency than
    -- the customer's moves nothing that the customer owes: it is an exchange difference.
    select
        legs.erp_code,
        legs.transaction_id,
        legs.entity_id,
        min(legs.transaction_type) as transaction_type,
        min(legs.reference) as reference,
        min(legs.transaction_date) as transaction_date,
        sum(
            case
                when legs.currency_id <> customers.currency_id then 0
                else coalesce(legs.foreign_amount, coalesce(legs.debit, 0) - coalesce(legs.credit, 0))
            end
        ) as amount,
        sum(coalesce(legs.debit, 0) - coalesce(legs.credit, 0)) as functional_amount
    from {{ ref('stg_netsuite__gl_lines') }} as legs
    inner join {{ ref('stg_netsuite__accounts') }} as accounts
        on
            legs.erp_code = accounts.erp_code
            and legs.account_id = accounts.account_id
            and accounts.account_type = 'AcctRec'
    left join {{ ref('stg_netsuite__customers') }} as customers
        on
            legs.erp_code = customers.erp_code
            and legs.entity_id = customers.customer_id
    where legs.is_counted
    group by legs.erp_code, legs.transaction_id, legs.entity_id
),

document_taxes as (
    -- Tax lines have the sign of the item lines: negative on an invoice, positive on a credit.
    select
        erp_code,
        transaction_id,
        -sum(amount) as tax_amount
    from {{ ref('stg_netsuite__document_lines') }}
    where feed in ('invoice_lines', 'credit_memo_lines') and is_tax_line and not is_gone
    group by erp_code, transaction_id
),

netsuite as (
    select
        receivables.erp_code,
        receivables.transaction_id || '-' || coalesce(receivables.entity_id, '') as posted_transaction_id,
        customers.customer_reference,
        receivables.transaction_id as urn,
        case
            when receivables.transaction_type = 'CustInvc' then 'INVOICE'
            when receivables.transaction_type = 'CustCred' then 'CREDIT_NOTE'
            when receivables.transaction_type in ('CustPymt', 'CustDep', 'DepAppl') then 'RECEIPT'
            when receivables.transaction_type = 'CustRfnd' then 'PAYMENT'
            when receivables.transaction_type = 'Journal' and receivables.amount < 0 then 'RECEIPT'
            when receivables.transaction_type = 'Journal' then 'PAYMENT'
            else 'OTHER'
        end as kind,
        receivables.reference,
        documents.document_reference as second_reference,
        receivables.transaction_date,
        receivables.amount,
        receivables.functional_amount,
        coalesce(document_taxes.tax_amount, 0) as tax_amount,
        coalesce(documents.unpaid_amount, 0) * sign(receivables.amount) as outstanding_amount
    from receivables
    left join {{ ref('stg_netsuite__customers') }} as customers
        on
            receivables.erp_code = customers.erp_code
            and receivables.entity_id = customers.customer_id
    left join {{ ref('stg_netsuite__documents') }} as documents
        on
            receivables.erp_code = documents.erp_code
            and receivables.transaction_id = documents.transaction_id
    left join document_taxes
        on
            receivables.erp_code = document_taxes.erp_code
            and receivables.transaction_id = document_taxes.transaction_id
),

{% endif -%}
unioned as (
    {{ union_of_vendors(['sage200', 'netsuite']) }}
),

erps as (
    select * from {{ ref('stg_tieout__erps') }}
),

final as (
    select
        unioned.erp_code,
        erps.entity_code,
        unioned.posted_transaction_id,
        unioned.customer_reference,
        unioned.urn,
        unioned.kind,
        unioned.reference,
        unioned.second_reference,
        unioned.transaction_date,
        {{ money('unioned.amount') }} as amount,
        {{ money('unioned.functional_amount') }} as functional_amount,
        {{ money('unioned.amount - unioned.tax_amount') }} as goods_amount,
        {{ money('unioned.tax_amount') }} as tax_amount,
        {{ money('unioned.outstanding_amount') }} as outstanding_amount
    from unioned
    inner join erps
        on unioned.erp_code = erps.erp_code
)

select * from final

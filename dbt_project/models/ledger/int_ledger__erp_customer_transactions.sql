-- One row per ERP company and posted sales ledger transaction. amount as the ledger shows it: invoices positive (the
-- customer owes more), receipts and credit notes negative.

with transactions as (
    select * from {{ ref('stg_sage200__sales_posted_transactions') }}
),

customers as (
    select * from {{ ref('stg_sage200__customers') }}
),

erps as (
    select * from {{ ref('stg_tieout__erps') }}
),

final as (
    select
        transactions.erp_code,
        erps.entity_code,
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
        {{ money('transactions.gross_amount') }} as amount,
        {{ money('coalesce(transactions.goods_amount, 0)') }} as goods_amount,
        {{ money('coalesce(transactions.tax_amount, 0)') }} as tax_amount,
        {{ money('coalesce(transactions.outstanding_amount, 0)') }} as outstanding_amount,
        transactions.user_name
    from transactions
    inner join erps
        on transactions.erp_code = erps.erp_code
    left join customers
        on
            transactions.erp_code = customers.erp_code
            and transactions.customer_id = customers.customer_id
)

select * from final

-- An order-led marketplace has its revenue, output VAT and stock posted by the ERP's own invoices. A settlement that touched them would
-- book revenue twice. When red: transaction_types.csv maps a type to a role that is not the settlement's business.
select
    lines.journal_key,
    lines.line_no,
    lines.account_role
from {{ ref('journal_lines') }} as lines
inner join {{ ref('int_ledger__marketplaces') }} as marketplaces
    on
        lines.marketplace_code = marketplaces.marketplace_code
        and marketplaces.has_books
        and marketplaces.posting_model = 'ORDER_LED'
where lines.account_role in (
    'REVENUE_GOODS', 'REVENUE_SHIPPING', 'SALES_RETURNS', 'SHIPPING_REFUNDS', 'OUTPUT_VAT', 'COGS', 'STOCK', 'SUSPENSE'
)

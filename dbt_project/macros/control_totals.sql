{#-
    Feeds whose records are counted from evidence to staging: (vendor, feed, raw table, id columns, staging model).
    One place, so that a new feed is counted by adding one line.
-#}
{% macro counted_feeds() -%}
    {{ return([
        ('mirakl', 'orders', 'mirakl_orders', ['order_id'], 'stg_mirakl__orders'),
        ('mirakl', 'transaction_lines', 'mirakl_transaction_lines', ['id'], 'stg_mirakl__transaction_lines'),
        ('mirakl', 'billing_cycles', 'mirakl_billing_cycles', ['id'], 'stg_mirakl__billing_cycles'),
        ('mirakl', 'invoices', 'mirakl_invoices', ['id'], 'stg_mirakl__invoices'),
        ('mirakl', 'offers', 'mirakl_offers', ['offer_id'], 'stg_mirakl__offers'),
        ('mirakl', 'account', 'mirakl_account', ['shop_id'], 'stg_mirakl__accounts'),
        ('mirakl', 'platform', 'mirakl_platform', [], 'stg_mirakl__platforms'),
        ('mirakl', 'carriers', 'mirakl_carriers', ['code'], 'stg_mirakl__carriers'),
        ('sage200', 'sop_orders', 'sage200_sop_orders', ['id'], 'stg_sage200__sop_orders'),
        ('sage200', 'products', 'sage200_products', ['id'], 'stg_sage200__products'),
        ('sage200', 'warehouses', 'sage200_warehouses', ['id'], 'stg_sage200__warehouses'),
        ('sage200', 'warehouse_holdings', 'sage200_warehouse_holdings', ['id'], 'stg_sage200__warehouse_holdings'),
        ('sage200', 'customers', 'sage200_customers', ['id'], 'stg_sage200__customers'),
        ('sage200', 'tax_codes', 'sage200_tax_codes', ['id'], 'stg_sage200__tax_codes'),
        ('sage200', 'currencies', 'sage200_currencies', ['id'], 'stg_sage200__currencies'),
        ('sage200', 'banks', 'sage200_banks', ['id'], 'stg_sage200__banks'),
        ('sage200', 'nominal_codes', 'sage200_nominal_codes', ['id'], 'stg_sage200__nominal_codes'),
        ('sage200', 'accounting_periods', 'sage200_accounting_periods', ['accounting_period_id'],
            'stg_sage200__accounting_periods'),
        ('sage200', 'sales_posted_transactions', 'sage200_sales_posted_transactions', ['id'],
            'stg_sage200__sales_posted_transactions'),
        ('sage200', 'bank_posted_transactions', 'sage200_bank_posted_transactions', ['id'],
            'stg_sage200__bank_posted_transactions'),
        ('sage200', 'nominal_transactions', 'sage200_nominal_transactions', ['id'],
            'stg_sage200__nominal_transactions'),
        ('bank', 'statements', 'bank_statement_entries', ['entry_reference'], 'stg_bank__statement_entries'),
    ]) }}
{%- endmacro %}


{#- Feeds of which only the newest complete batch counts; the others keep the newest version of each record. -#}
{% macro snapshot_feeds() -%}
    {{ return([
        'billing_cycles', 'invoices', 'offers', 'account', 'platform', 'carriers',
        'products', 'warehouses', 'warehouse_holdings', 'customers', 'tax_codes', 'currencies', 'banks', 'nominal_codes',
        'accounting_periods',
    ]) }}
{%- endmacro %}


{#-
    Sums that must survive from the vendor's text to the ledger:
    (vendor, feed, measure, raw table, raw column, staging model, column, account column, ledger model, ledger column, sign filter).
-#}
{% macro controlled_amounts() -%}
    {{ return([
        ('mirakl', 'orders', 'order totals', 'mirakl_orders', 'total_price', 'stg_mirakl__orders', 'total_amount',
            'marketplace_code', 'int_ledger__orders', 'total_amount'),
        ('mirakl', 'orders', 'order line totals', 'mirakl_order_lines', 'total_price', 'stg_mirakl__order_lines',
            'total_amount', 'marketplace_code', 'int_ledger__order_lines', 'total_amount'),
        ('mirakl', 'orders', 'refunds of goods', 'mirakl_order_line_refunds', 'amount', 'stg_mirakl__order_line_refunds',
            'amount', 'marketplace_code', 'int_ledger__refunds', 'amount'),
        ('mirakl', 'transaction_lines', 'transaction amounts', 'mirakl_transaction_lines', 'amount',
            'stg_mirakl__transaction_lines', 'amount', 'marketplace_code', 'int_ledger__settlement_lines', 'amount'),
        ('mirakl', 'billing_cycles', 'transferred to seller', 'mirakl_billing_cycles', 'amount_transferred_to_seller',
            'stg_mirakl__billing_cycles', 'transferred_to_seller_amount', 'marketplace_code', 'int_ledger__cycles',
            'transferred_to_seller_amount'),
        ('mirakl', 'invoices', 'document totals', 'mirakl_invoices', 'total_amount_incl_taxes', 'stg_mirakl__invoices',
            'gross_amount', 'marketplace_code', 'int_ledger__documents', 'gross_amount'),
        ('sage200', 'sop_orders', 'order totals', 'sage200_sop_orders', 'total_gross_value', 'stg_sage200__sop_orders',
            'gross_amount', 'erp_code', 'int_ledger__erp_orders', 'gross_amount'),
        ('sage200', 'nominal_transactions', 'debits', 'sage200_nominal_transactions', 'debit',
            'stg_sage200__nominal_transactions', 'debit', 'erp_code', 'int_ledger__erp_postings', 'debit'),
        ('sage200', 'nominal_transactions', 'credits', 'sage200_nominal_transactions', 'credit',
            'stg_sage200__nominal_transactions', 'credit', 'erp_code', 'int_ledger__erp_postings', 'credit'),
        ('sage200', 'sales_posted_transactions', 'sales ledger totals', 'sage200_sales_posted_transactions',
            'document_gross_value', 'stg_sage200__sales_posted_transactions', 'gross_amount', 'erp_code',
            'int_ledger__erp_customer_transactions', 'amount'),
        ('bank', 'statements', 'statement entries', 'bank_statement_entries', 'amount', 'stg_bank__statement_entries',
            'amount', 'bank_account_code', 'int_ledger__receipts', 'amount'),
    ]) }}
{%- endmacro %}

{#-
    Feeds whose records are counted from evidence to staging. One place, so that a new feed is counted by adding one line.
    `only` picks a feed's rows where several feeds share a staging model.
-#}
{% macro counted_feeds() -%}
    {%- set feeds = [
        {'vendor': 'mirakl', 'feed': 'orders', 'raw_table': 'mirakl_orders',
            'id_columns': ['order_id'], 'model': 'stg_mirakl__orders'},
        {'vendor': 'mirakl', 'feed': 'transaction_lines', 'raw_table': 'mirakl_transaction_lines',
            'id_columns': ['id'], 'model': 'stg_mirakl__transaction_lines'},
        {'vendor': 'mirakl', 'feed': 'billing_cycles', 'raw_table': 'mirakl_billing_cycles',
            'id_columns': ['id'], 'model': 'stg_mirakl__billing_cycles'},
        {'vendor': 'mirakl', 'feed': 'invoices', 'raw_table': 'mirakl_invoices',
            'id_columns': ['id'], 'model': 'stg_mirakl__invoices'},
        {'vendor': 'mirakl', 'feed': 'offers', 'raw_table': 'mirakl_offers',
            'id_columns': ['offer_id'], 'model': 'stg_mirakl__offers'},
        {'vendor': 'mirakl', 'feed': 'account', 'raw_table': 'mirakl_account',
            'id_columns': ['shop_id'], 'model': 'stg_mirakl__accounts'},
        {'vendor': 'mirakl', 'feed': 'platform', 'raw_table': 'mirakl_platform',
            'id_columns': [], 'model': 'stg_mirakl__platforms'},
        {'vendor': 'mirakl', 'feed': 'carriers', 'raw_table': 'mirakl_carriers',
            'id_columns': ['code'], 'model': 'stg_mirakl__carriers'},
        {'vendor': 'mirakl', 'feed': 'shops', 'raw_table': 'mirakl_shops',
            'id_columns': ['shop_id'], 'model': 'stg_mirakl__shops'},
        {'vendor': 'mirakl', 'feed': 'offer_changes', 'raw_table': 'mirakl_offer_changes',
            'id_columns': ['offer_id'], 'model': 'stg_mirakl__offer_changes'},
        {'vendor': 'mirakl', 'feed': 'offer_details', 'raw_table': 'mirakl_offer_details',
            'id_columns': ['offer_id'], 'model': 'stg_mirakl__offer_details'},
        {'vendor': 'mirakl', 'feed': 'products', 'raw_table': 'mirakl_products',
            'id_columns': ['product_reference'], 'model': 'stg_mirakl__products'},
        {'vendor': 'mirakl', 'feed': 'returns', 'raw_table': 'mirakl_returns',
            'id_columns': ['id'], 'model': 'stg_mirakl__returns'},
        {'vendor': 'mirakl', 'feed': 'shipments', 'raw_table': 'mirakl_shipments',
            'id_columns': ['id'], 'model': 'stg_mirakl__shipments'},
        {'vendor': 'mirakl', 'feed': 'items_to_ship', 'raw_table': 'mirakl_items_to_ship',
            'id_columns': ['order_id'], 'model': 'stg_mirakl__items_to_ship'},
        {'vendor': 'mirakl', 'feed': 'document_requests', 'raw_table': 'mirakl_document_requests',
            'id_columns': ['id'], 'model': 'stg_mirakl__document_requests'},
        {'vendor': 'mirakl', 'feed': 'document_request_lines', 'raw_table': 'mirakl_document_request_lines',
            'id_columns': ['id'], 'model': 'stg_mirakl__document_request_lines'},
        {'vendor': 'mirakl', 'feed': 'invoice_files', 'raw_table': 'mirakl_invoice_files',
            'id_columns': ['document_id'], 'model': 'stg_mirakl__invoice_files'},
        {'vendor': 'mirakl', 'feed': 'order_documents', 'raw_table': 'mirakl_order_documents',
            'id_columns': ['id'], 'model': 'stg_mirakl__order_documents'},
        {'vendor': 'mirakl', 'feed': 'threads', 'raw_table': 'mirakl_threads',
            'id_columns': ['id'], 'model': 'stg_mirakl__threads'},
        {'vendor': 'mirakl', 'feed': 'account_statistics', 'raw_table': 'mirakl_account_statistics',
            'id_columns': ['shop_id'], 'model': 'stg_mirakl__account_statistics'},
        {'vendor': 'mirakl', 'feed': 'payment_debits', 'raw_table': 'mirakl_payment_debits',
            'id_columns': ['order_id'], 'model': 'stg_mirakl__payment_debits'},
        {'vendor': 'mirakl', 'feed': 'payment_refunds', 'raw_table': 'mirakl_payment_refunds',
            'id_columns': ['order_id'], 'model': 'stg_mirakl__payment_refunds'},
        {'vendor': 'mirakl', 'feed': 'currencies', 'raw_table': 'mirakl_currencies',
            'id_columns': ['code'], 'model': 'stg_mirakl__codes', 'only': "list_name = 'currencies'"},
        {'vendor': 'mirakl', 'feed': 'channels', 'raw_table': 'mirakl_channels',
            'id_columns': ['code'], 'model': 'stg_mirakl__codes', 'only': "list_name = 'channels'"},
        {'vendor': 'mirakl', 'feed': 'offer_conditions', 'raw_table': 'mirakl_offer_conditions',
            'id_columns': ['code'], 'model': 'stg_mirakl__codes', 'only': "list_name = 'offer_conditions'"},
        {'vendor': 'mirakl', 'feed': 'reasons', 'raw_table': 'mirakl_reasons',
            'id_columns': ['type', 'code'], 'model': 'stg_mirakl__codes', 'only': "list_name = 'reasons'"},
        {'vendor': 'mirakl', 'feed': 'shipping_zones', 'raw_table': 'mirakl_shipping_zones',
            'id_columns': ['code'], 'model': 'stg_mirakl__codes', 'only': "list_name = 'shipping_zones'"},
        {'vendor': 'mirakl', 'feed': 'shipping_methods', 'raw_table': 'mirakl_shipping_methods',
            'id_columns': ['code'], 'model': 'stg_mirakl__codes', 'only': "list_name = 'shipping_methods'"},
        {'vendor': 'mirakl', 'feed': 'custom_fields', 'raw_table': 'mirakl_custom_fields',
            'id_columns': ['entity', 'code'], 'model': 'stg_mirakl__codes', 'only': "list_name = 'custom_fields'"},
        {'vendor': 'sage200', 'feed': 'sop_orders', 'raw_table': 'sage200_sop_orders',
            'id_columns': ['id'], 'model': 'stg_sage200__sop_orders'},
        {'vendor': 'sage200', 'feed': 'products', 'raw_table': 'sage200_products',
            'id_columns': ['id'], 'model': 'stg_sage200__products'},
        {'vendor': 'sage200', 'feed': 'price_bands', 'raw_table': 'sage200_price_bands',
            'id_columns': ['id'], 'model': 'stg_sage200__price_bands'},
        {'vendor': 'sage200', 'feed': 'product_prices', 'raw_table': 'sage200_product_prices',
            'id_columns': ['product_price_id'], 'model': 'stg_sage200__product_prices'},
        {'vendor': 'sage200', 'feed': 'warehouses', 'raw_table': 'sage200_warehouses',
            'id_columns': ['id'], 'model': 'stg_sage200__warehouses'},
        {'vendor': 'sage200', 'feed': 'warehouse_holdings', 'raw_table': 'sage200_warehouse_holdings',
            'id_columns': ['id'], 'model': 'stg_sage200__warehouse_holdings'},
        {'vendor': 'sage200', 'feed': 'customers', 'raw_table': 'sage200_customers',
            'id_columns': ['id'], 'model': 'stg_sage200__customers'},
        {'vendor': 'sage200', 'feed': 'tax_codes', 'raw_table': 'sage200_tax_codes',
            'id_columns': ['id'], 'model': 'stg_sage200__tax_codes'},
        {'vendor': 'sage200', 'feed': 'currencies', 'raw_table': 'sage200_currencies',
            'id_columns': ['id'], 'model': 'stg_sage200__currencies'},
        {'vendor': 'sage200', 'feed': 'banks', 'raw_table': 'sage200_banks',
            'id_columns': ['id'], 'model': 'stg_sage200__banks'},
        {'vendor': 'sage200', 'feed': 'nominal_codes', 'raw_table': 'sage200_nominal_codes',
            'id_columns': ['id'], 'model': 'stg_sage200__nominal_codes'},
        {'vendor': 'sage200', 'feed': 'accounting_periods', 'raw_table': 'sage200_accounting_periods',
            'id_columns': ['accounting_period_id'], 'model': 'stg_sage200__accounting_periods'},
        {'vendor': 'sage200', 'feed': 'sales_posted_transactions', 'raw_table': 'sage200_sales_posted_transactions',
            'id_columns': ['id'], 'model': 'stg_sage200__sales_posted_transactions'},
        {'vendor': 'sage200', 'feed': 'bank_posted_transactions', 'raw_table': 'sage200_bank_posted_transactions',
            'id_columns': ['id'], 'model': 'stg_sage200__bank_posted_transactions'},
        {'vendor': 'sage200', 'feed': 'nominal_transactions', 'raw_table': 'sage200_nominal_transactions',
            'id_columns': ['id'], 'model': 'stg_sage200__nominal_transactions'},
        {'vendor': 'sage200', 'feed': 'despatch_lines', 'raw_table': 'sage200_despatch_lines',
            'id_columns': ['sop_despatch_line_id'], 'model': 'stg_sage200__despatch_lines'},
        {'vendor': 'netsuite', 'feed': 'subsidiaries', 'raw_table': 'netsuite_subsidiaries',
            'id_columns': ['id'], 'model': 'stg_netsuite__subsidiaries'},
        {'vendor': 'netsuite', 'feed': 'currencies', 'raw_table': 'netsuite_currencies',
            'id_columns': ['id'], 'model': 'stg_netsuite__currencies'},
        {'vendor': 'netsuite', 'feed': 'currency_rates', 'raw_table': 'netsuite_currency_rates',
            'id_columns': ['basecurrency', 'transactioncurrency', 'effectivedate'], 'model': 'stg_netsuite__currency_rates'},
        {'vendor': 'netsuite', 'feed': 'periods', 'raw_table': 'netsuite_periods',
            'id_columns': ['id'], 'model': 'stg_netsuite__periods'},
        {'vendor': 'netsuite', 'feed': 'accounts', 'raw_table': 'netsuite_accounts',
            'id_columns': ['id'], 'model': 'stg_netsuite__accounts'},
        {'vendor': 'netsuite', 'feed': 'tax_codes', 'raw_table': 'netsuite_tax_codes',
            'id_columns': ['id'], 'model': 'stg_netsuite__tax_codes'},
        {'vendor': 'netsuite', 'feed': 'locations', 'raw_table': 'netsuite_locations',
            'id_columns': ['id'], 'model': 'stg_netsuite__locations'},
        {'vendor': 'netsuite', 'feed': 'classes', 'raw_table': 'netsuite_classes',
            'id_columns': ['id'], 'model': 'stg_netsuite__classes'},
        {'vendor': 'netsuite', 'feed': 'departments', 'raw_table': 'netsuite_departments',
            'id_columns': ['id'], 'model': 'stg_netsuite__departments'},
        {'vendor': 'netsuite', 'feed': 'items', 'raw_table': 'netsuite_items',
            'id_columns': ['id'], 'model': 'stg_netsuite__items'},
        {'vendor': 'netsuite', 'feed': 'prices', 'raw_table': 'netsuite_prices',
            'id_columns': ['item', 'currencypage', 'pricelevelname'], 'model': 'stg_netsuite__prices'},
        {'vendor': 'netsuite', 'feed': 'stock', 'raw_table': 'netsuite_stock',
            'id_columns': ['item', 'location'], 'model': 'stg_netsuite__stock'},
        {'vendor': 'netsuite', 'feed': 'customers', 'raw_table': 'netsuite_customers',
            'id_columns': ['id'], 'model': 'stg_netsuite__customers'},
        {'vendor': 'netsuite', 'feed': 'sales_orders', 'raw_table': 'netsuite_sales_orders',
            'id_columns': ['id'], 'model': 'stg_netsuite__sales_orders'},
        {'vendor': 'netsuite', 'feed': 'sales_order_lines', 'raw_table': 'netsuite_sales_order_lines',
            'id_columns': ['transaction', 'id'], 'model': 'stg_netsuite__sales_order_lines'},
        {'vendor': 'netsuite', 'feed': 'tracking_numbers', 'raw_table': 'netsuite_tracking_numbers',
            'id_columns': ['transaction', 'tracking_id'], 'model': 'stg_netsuite__tracking_numbers'},
        {'vendor': 'netsuite', 'feed': 'gl_lines', 'raw_table': 'netsuite_gl_lines',
            'id_columns': ['transaction', 'transactionline'], 'model': 'stg_netsuite__gl_lines'},
        {'vendor': 'netsuite', 'feed': 'deleted_records', 'raw_table': 'netsuite_deleted_records',
            'id_columns': ['recordid', 'recordtypeid'], 'model': 'stg_netsuite__deleted_records'},
        {'vendor': 'bank', 'feed': 'statements', 'raw_table': 'bank_statement_entries',
            'id_columns': ['entry_reference'], 'model': 'stg_bank__statement_entries'},
    ] -%}
    {%- for feed in netsuite_documents() -%}
        {%- do feeds.append({'vendor': 'netsuite', 'feed': feed, 'raw_table': 'netsuite_' ~ feed, 'id_columns': ['id'],
            'model': 'stg_netsuite__documents', 'only': "feed = '" ~ feed ~ "'"}) -%}
    {%- endfor -%}
    {%- for feed in netsuite_document_lines() -%}
        {%- do feeds.append({'vendor': 'netsuite', 'feed': feed, 'raw_table': 'netsuite_' ~ feed,
            'id_columns': ['transaction', 'id'], 'model': 'stg_netsuite__document_lines', 'only': "feed = '" ~ feed ~ "'"}) -%}
    {%- endfor -%}
    {%- for vendor, erp in registered_erps().items() -%}
        {%- for feed in erp.feeds -%}
            {%- do feeds.append({'vendor': vendor, 'feed': feed.feed, 'raw_table': feed.raw_table,
                'id_columns': feed.id_columns, 'model': 'stg_' ~ vendor ~ '__' ~ feed.feed}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(of_used_vendors(feeds)) }}
{%- endmacro %}


{#- Those entries whose vendor's models are built. -#}
{% macro of_used_vendors(entries) -%}
    {%- set found = [] -%}
    {%- for entry in entries -%}
        {%- if entry.vendor in ('mirakl', 'bank') or uses(entry.vendor) -%}
            {%- do found.append(entry) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}


{#- Whether only the newest complete batch of a feed counts; of the others the newest version of each record does. -#}
{% macro is_snapshot_feed(vendor, feed) -%}
    {%- for registered in registered_erps().get(vendor, {}).get('feeds', []) if registered.feed == feed -%}
        {{ return(registered.is_snapshot) }}
    {%- endfor -%}
    {{ return(feed in {
        'mirakl': [
            'billing_cycles', 'invoices', 'offers', 'account', 'platform', 'carriers', 'shops', 'items_to_ship',
            'account_statistics', 'currencies', 'channels', 'offer_conditions', 'reasons', 'shipping_zones',
            'shipping_methods', 'custom_fields', 'payment_debits', 'payment_refunds',
        ],
        'sage200': [
            'products', 'warehouses', 'warehouse_holdings', 'customers', 'tax_codes', 'currencies', 'banks',
            'nominal_codes', 'accounting_periods', 'price_bands', 'product_prices',
        ],
        'netsuite': [
            'subsidiaries', 'currencies', 'currency_rates', 'periods', 'accounts', 'tax_codes', 'locations', 'classes',
            'departments', 'stock', 'prices',
        ],
        'bank': [],
    }[vendor]) }}
{%- endmacro %}


{#-
    Sums that must survive from the vendor's text to the ledger. `kept_by` is the staging model that knows which records of
    the evidence are current; `only` picks those of them that the ledger takes.
-#}
{% macro controlled_amounts() -%}
    {{ return(of_used_vendors([
        {
            'vendor': 'mirakl', 'feed': 'orders', 'measure': 'order totals',
            'raw_table': 'mirakl_orders', 'raw_column': 'total_price', 'kept_by': 'stg_mirakl__orders',
            'model': 'stg_mirakl__orders', 'column': 'total_amount',
            'ledger': 'int_ledger__orders', 'ledger_column': 'total_amount'
        },
        {
            'vendor': 'mirakl', 'feed': 'orders', 'measure': 'order line totals',
            'raw_table': 'mirakl_order_lines', 'raw_column': 'total_price', 'kept_by': 'stg_mirakl__orders',
            'model': 'stg_mirakl__order_lines', 'column': 'total_amount',
            'ledger': 'int_ledger__order_lines', 'ledger_column': 'total_amount'
        },
        {
            'vendor': 'mirakl', 'feed': 'orders', 'measure': 'refunds of goods',
            'raw_table': 'mirakl_order_line_refunds', 'raw_column': 'amount', 'kept_by': 'stg_mirakl__orders',
            'model': 'stg_mirakl__order_line_refunds', 'column': 'amount',
            'ledger': 'int_ledger__refunds', 'ledger_column': 'amount'
        },
        {
            'vendor': 'mirakl', 'feed': 'transaction_lines', 'measure': 'transaction amounts',
            'raw_table': 'mirakl_transaction_lines', 'raw_column': 'amount', 'kept_by': 'stg_mirakl__transaction_lines',
            'model': 'stg_mirakl__transaction_lines', 'column': 'amount',
            'ledger': 'int_ledger__settlement_lines', 'ledger_column': 'amount'
        },
        {
            'vendor': 'mirakl', 'feed': 'billing_cycles', 'measure': 'transferred to seller',
            'raw_table': 'mirakl_billing_cycles', 'raw_column': 'amount_transferred_to_seller', 'kept_by': 'stg_mirakl__billing_cycles',
            'model': 'stg_mirakl__billing_cycles', 'column': 'transferred_to_seller_amount',
            'ledger': 'int_ledger__cycles', 'ledger_column': 'transferred_to_seller_amount'
        },
        {
            'vendor': 'mirakl', 'feed': 'invoices', 'measure': 'document totals',
            'raw_table': 'mirakl_invoices', 'raw_column': 'total_amount_incl_taxes', 'kept_by': 'stg_mirakl__invoices',
            'model': 'stg_mirakl__invoices', 'column': 'gross_amount',
            'ledger': 'int_ledger__documents', 'ledger_column': 'gross_amount'
        },
        {
            'vendor': 'sage200', 'feed': 'sop_orders', 'measure': 'order totals',
            'raw_table': 'sage200_sop_orders', 'raw_column': 'total_gross_value', 'kept_by': 'stg_sage200__sop_orders',
            'model': 'stg_sage200__sop_orders', 'column': 'gross_amount',
            'ledger': 'int_ledger__erp_orders', 'ledger_column': 'gross_amount'
        },
        {
            'vendor': 'sage200', 'feed': 'nominal_transactions', 'measure': 'debits',
            'raw_table': 'sage200_nominal_transactions', 'raw_column': 'debit', 'kept_by': 'stg_sage200__nominal_transactions',
            'model': 'stg_sage200__nominal_transactions', 'column': 'debit',
            'ledger': 'int_ledger__erp_postings', 'ledger_column': 'debit'
        },
        {
            'vendor': 'sage200', 'feed': 'nominal_transactions', 'measure': 'credits',
            'raw_table': 'sage200_nominal_transactions', 'raw_column': 'credit', 'kept_by': 'stg_sage200__nominal_transactions',
            'model': 'stg_sage200__nominal_transactions', 'column': 'credit',
            'ledger': 'int_ledger__erp_postings', 'ledger_column': 'credit'
        },
        {
            'vendor': 'sage200', 'feed': 'sales_posted_transactions', 'measure': 'sales ledger totals',
            'raw_table': 'sage200_sales_posted_transactions', 'raw_column': 'document_gross_value', 'kept_by': 'stg_sage200__sales_posted_transactions',
            'model': 'stg_sage200__sales_posted_transactions', 'column': 'gross_amount',
            'ledger': 'int_ledger__erp_customer_transactions', 'ledger_column': 'amount'
        },
        {
            'vendor': 'netsuite', 'feed': 'sales_orders', 'measure': 'order totals',
            'raw_table': 'netsuite_sales_orders', 'raw_column': 'foreigntotal', 'kept_by': 'stg_netsuite__sales_orders',
            'model': 'stg_netsuite__sales_orders', 'column': 'gross_amount', 'only': 'is_counted',
            'ledger': 'int_ledger__erp_orders', 'ledger_column': 'gross_amount'
        },
        {
            'vendor': 'netsuite', 'feed': 'gl_lines', 'measure': 'debits',
            'raw_table': 'netsuite_gl_lines', 'raw_column': 'debit', 'kept_by': 'stg_netsuite__gl_lines',
            'model': 'stg_netsuite__gl_lines', 'column': 'debit', 'only': 'is_counted',
            'ledger': 'int_ledger__erp_postings', 'ledger_column': 'debit'
        },
        {
            'vendor': 'netsuite', 'feed': 'gl_lines', 'measure': 'credits',
            'raw_table': 'netsuite_gl_lines', 'raw_column': 'credit', 'kept_by': 'stg_netsuite__gl_lines',
            'model': 'stg_netsuite__gl_lines', 'column': 'credit', 'only': 'is_counted',
            'ledger': 'int_ledger__erp_postings', 'ledger_column': 'credit'
        },
        {
            'vendor': 'bank', 'feed': 'statements', 'measure': 'statement entries',
            'raw_table': 'bank_statement_entries', 'raw_column': 'amount', 'kept_by': 'stg_bank__statement_entries',
            'model': 'stg_bank__statement_entries', 'column': 'amount',
            'ledger': 'int_ledger__receipts', 'ledger_column': 'amount', 'ledger_filter': "receipt_source = 'STATEMENT'"
        },
    ])) }}
{%- endmacro %}


{#- The column of a staging or ledger model that holds the account of its vendor. -#}
{% macro account_column(vendor) -%}
    {{ {'mirakl': 'marketplace_code', 'sage200': 'erp_code', 'netsuite': 'erp_code', 'bank': 'bank_account_code'}.get(vendor, 'erp_code') }}
{%- endmacro %}

"""Every member that Sage 200 documents, by feed and by the dotted path of its object.

Source: Sage's OpenAPI files (newest change 2024-02-05). A member that is not here is counted as unknown, so that a
growing API is noticed; nothing is refused for it. Only the objects that a feed walks are listed: what hangs below a
member that is not read may be anything.
"""

from __future__ import annotations


def names_in(words: str) -> frozenset[str]:
    return frozenset(words.split())


def family(name: str, count: int) -> frozenset[str]:
    return frozenset(f"{name}_{n}" for n in range(1, count + 1))


NUMBERED = (
    family("analysis_code", 20)
    | family("spare_text", 10)
    | family("spare_number", 10)
    | family("spare_date", 5)
    | family("spare_bool", 5)
)
"""Families of free members that most resources carry."""

DOCUMENTED: dict[str, dict[str, frozenset[str]]] = {
    "sop_orders": {
        "": names_in(
            """
            apply_available_document_discount_percent available_document_discount_percent
            cancelled_status cash_account_invoice_address currency currency_id customer
            customer_delivery_address_id customer_document_no customer_id customer_type
            date_time_created date_time_updated declared_payment_remaining delivery_address
            despatch_receipt_status document_created_by document_date document_discount_percent
            document_no document_status exchange_rate external_reference id invoice_credit_status
            invoice_payment_with_order_immediately is_credit_limit_exceeded is_draft is_editing
            is_to_sequence_lines is_triangulated lines lock_id memos order_priority override_on_hold
            payment_declared payment_method payment_method_id payment_reference payment_status
            payment_type payment_undeclared payment_value payment_with_order profitability
            promised_delivery_date quotation_expiry_date recalculate_prices requested_delivery_date
            settlement_discount_days settlement_discount_percent subtotal_charge_net_value
            subtotal_charge_tax_value subtotal_discount_value subtotal_goods_value suppress_warnings
            total_gross_value total_net_value total_tax_value use_invoice_address
            """
        ),
        "lines": names_in(
            """
            additional_charge allocated_quantity allocation_status available_for_despatch
            back_to_back_status code confirmation_intent_type cost_price create_cancelled_line
            date_time_created date_time_updated description despatch_note_comment
            despatch_receipt_quantity despatch_receipt_status discount discount_percent_specified
            discounted_unit_price fulfilment_method has_pop_order id invoice_credit_quantity
            invoice_credit_status is_complete is_line_deletable is_to_delete is_to_split_line
            line_number line_quantity line_tax_value line_total_value line_type line_unit_precision
            mark_as_preferred nominal_code nominal_cost_centre nominal_department nominal_reference
            picking_list_comment posted_invoice_credit_quantity pricing_unit pricing_unit_description
            pricing_unit_id product product_id profitability promised_delivery_date
            requested_delivery_date retain_manual_prices selling_unit selling_unit_description
            selling_unit_id selling_unit_multiple selling_unit_price selling_unit_price_overridden
            show_on_customer_docs show_on_picking_list_type sop_order sop_order_id
            stock_unit_allocated_quantity stock_unit_available_for_despatch
            stock_unit_available_quantity stock_unit_despatch_receipt_quantity
            stock_unit_invoice_credit_quantity stock_unit_line_quantity stock_unit_multiple
            stock_unit_posted_invoice_credit_quantity stock_unit_precision
            stock_unit_to_allocate_quantity tax_code tax_code_id to_allocate_quantity
            traceable_adjustment_items unit_discount_overridden unit_discount_percent
            unit_discount_value use_description warehouse warehouse_id
            """
        ),
    },
    "products": {
        "": names_in(
            """
            accrual_nominal_code accrual_nominal_code_id allow_duplicate_numbers allow_sales_order
            alternative_products auto_generate_next_number auto_generate_option_type
            auto_generate_padding auto_generate_prefix auto_generate_separator
            auto_generate_separator_id average_buying_price barcode base_unit base_unit_id bom_item_type
            bom_settings code commodity_code country_of_origin country_of_origin_id cross_sell_products
            date_time_created date_time_updated default_despatch_note_comment
            default_picking_list_comment description free_stock_quantity fulfilment_method_type
            fulfilment_sequence_type has_alternative_products has_cross_sell_products
            has_preferred_supplier holding id inactivation_date include_nos_on_count_sheets is_weee_item
            issue_nominal_code issue_nominal_code_id label_printing_option_type landed_costs_per_item
            landed_costs_percentage landed_costs_type manufacturer memos name part_number product_group
            product_group_id product_status_type record_nos_on_goods_received revenue_nominal_code
            revenue_nominal_code_id sale_from_single_batch search_category_values shelf_life
            shelf_life_type standard_cost status stock_nominal_code stock_nominal_code_id stock_unit
            stock_unit_id stocktake_cycle_period supplementary_unit_conversion_ratio suppliers
            suppress_mass_on_declaration tax_code tax_code_id traceable_type units
            use_description_on_documents use_reverse_charge_vat_rules use_supplementary_units
            uses_alternative_ref uses_sell_by_date uses_use_by_date warehouse_holdings weight
            """
        ),
    },
    "warehouses": {
        "": names_in(
            """
            address_1 address_2 address_3 address_4 bom_settings city contact country country_code
            country_code_id county date_time_created date_time_updated description email fax_number id
            name postal_name postcode telephone_number use_for_sales_trading warehouse_type website
            """
        ),
    },
    "warehouse_holdings": {
        "": names_in(
            """
            bin_holdings confirmed_qty_in_stock date_time_created date_time_updated free_stock_available
            free_stock_available_less_reserved id is_default_manufacturing_warehouse is_to_delete
            maximum_level minimum_level product product_id quantity_allocated quantity_allocated_bom
            quantity_allocated_sop quantity_allocated_stock quantity_in_stock
            quantity_in_stock_less_reserved quantity_on_order quantity_reserved reorder_level status
            unconfirmed_qty_in_stock warehouse warehouse_id warehouse_name
            """
        ),
    },
    "customers": {
        "": names_in(
            """
            account_opened account_status_type account_type alerts application_date
            associated_head_office associated_head_office_id average_time_to_pay balance cards contacts
            country_code country_code_id credit_bureau credit_bureau_id credit_limit credit_memo_note
            credit_position credit_position_id credit_reference currency currency_id
            customer_discount_group customer_discount_group_id date_finance_charge_last_run
            date_received date_time_created date_time_updated default_nominal_code
            default_nominal_code_cost_centre default_nominal_code_department default_nominal_code_id
            default_nominal_code_reference default_tax_code default_tax_code_id duns_code
            early_settlement_discount_days early_settlement_discount_percent exchange_rate_type
            fax_area_code fax_country_code fax_subscriber_number finance_charge finance_charge_id id
            invoice_discount_percent invoice_line_discount_percent is_head_office_with_branches
            last_credit_review limited_price_bands main_address memos months_to_keep_transactions name
            next_credit_review office_type on_hold order_priority order_value_discount
            order_value_discount_id payment_terms_basis payment_terms_days price_band price_band_id
            produce_statements_for_customer reference sales_credit_note_layout sales_invoice_layout
            short_name statement_layout status status_reason telephone_area_code telephone_country_code
            telephone_subscriber_number terms_agreed trading_terms use_consolidated_billing
            use_tax_code_as_default value_of_current_orders_in_sop vat_number website
            """
        ),
    },
    "tax_codes": {
        "": names_in(
            """
            code date_time_created date_time_updated id is_notional_acquisition_tax name tax_rate terms
            terms_description
            """
        ),
    },
    "currencies": {
        "": names_in(
            """
            core_currency_rate currency_iso_code currency_iso_code_id date_time_created
            date_time_updated euro_currency_rate exchange_rate_amendability_type exchange_rate_type id
            is_base_currency is_euro_currency name symbol use_for_new_accounts
            """
        ),
    },
    "banks": {
        "": names_in(
            """
            account_currency account_currency_id account_name account_no account_status_type
            account_type balance balance_in_base bank_account_nominal_code
            bank_account_nominal_cost_centre bank_account_nominal_department
            bank_account_nominal_reference bank_address bank_charges_nominal_code
            bank_charges_nominal_cost_centre bank_charges_nominal_department
            bank_charges_nominal_reference bank_contacts bank_name bic code date_time_created
            date_time_updated description emails exchange_diff_nominal_code
            exchange_diff_nominal_cost_centre exchange_diff_nominal_department
            exchange_diff_nominal_reference iban id memos overdraft_limit sort_code statement_balance
            statement_date websites
            """
        ),
    },
    "nominal_codes": {
        "": names_in(
            """
            account_status_type allow_manual_journal_entries balance_year_to_date
            brought_forward_balance consolidated_nominal_account_number consolidated_nominal_code
            consolidated_nominal_code_id consolidated_nominal_cost_centre
            consolidated_nominal_department cost_centre cost_centre_code cost_centre_id
            credit_balance_year_to_date date_time_created date_time_updated debit_balance_year_to_date
            department department_code department_id display_balances_in_selection_list financial_years
            id memos name nominal_account_type periods_to_keep_transactions reference report_category
            report_category_id sofa_category sofa_category_id use_batch_postings
            """
        ),
    },
    "accounting_periods": {
        "": names_in(
            """
            accounting_period_id financial_year_end_date financial_year_id financial_year_start_date
            number_of_periods_in_year period_end_date period_number period_start_date
            year_relative_to_current_year
            """
        ),
    },
    "sales_posted_transactions": {
        "": names_in(
            """
            allocation_history_items allocation_session_items bank_items base_allocated_value
            base_discount_value base_goods_value base_gross_value base_tax_discount_value base_tax_value
            control_value_in_base_currency customer customer_id date_time_created date_time_updated
            discount_days discount_percent document_allocated_value document_discount_value
            document_goods_value document_gross_value document_outstanding_value
            document_tax_discount_value document_tax_value due_date exchange_rate full_settlement_date
            id nominal_analysis_items posted_date queried reference second_reference settled_immediately
            tax_analysis_items trader_transaction_type transaction_date urn user_name
            """
        ),
    },
    "bank_posted_transactions": {
        "": names_in(
            """
            bank bank_cheque_to_base_currency_rate bank_id bank_transaction_type cheque_currency
            cheque_currency_id cheque_discount_value cheque_to_account_currency_rate cheque_value
            date_time_created date_time_updated entry_description id last_statement_date
            nominal_analysis_items posted_date reference second_reference source statement_page_number
            tax_analysis_items trade_items transaction_date urn user_name
            """
        ),
    },
    "nominal_transactions": {
        "": names_in(
            """
            accounting_period_id bank_items credit debit financial_year_id financial_year_start_date id
            narrative nominal_analysis_items nominal_code_id period_number reference source
            tax_analysis_items trade_items transaction_analysis_code transaction_date urn user_name
            year_relative_to_current_year
            """
        ),
    },
}

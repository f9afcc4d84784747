"""Every member that Sage 200 documents of the resources that no lane reads by default, as `documented` does for the
others.
"""

from __future__ import annotations

from connectors.sage200.documented import family, names_in

FURTHER: dict[str, dict[str, frozenset[str]]] = {
    "price_bands": {
        "": names_in(
            """
            active_date_time_from active_date_time_to currency_id date_time_created date_time_updated
            description id is_active is_standard_band is_time_based name price_band_type
            price_band_type_id
            """
        ),
    },
    "product_prices": {
        "": names_in(
            """
            currency_id currency_name currency_symbol date_time_updated price_band_id price_band_name
            product_code product_id product_name product_price_id product_price_price
            product_price_use_standard product_stock_unit_name
            """
        ),
    },
    "product_groups": {
        "": names_in(
            """
            accrual_nominal_code accrual_nominal_code_id allow_duplicate_numbers base_unit
            base_unit_id bom_settings buying_prices_use_multiple_units
            buying_quantities_use_multiple_units can_levels_go_negative
            can_over_allocate_negative_stock code costing_method date_time_created date_time_updated
            description do_items_use_markup do_items_use_units id issue_nominal_code
            issue_nominal_code_id keep_movement_history label_printing_option_type
            landed_costs_per_item landed_costs_percentage landed_costs_type product_type
            revenue_nominal_code revenue_nominal_code_id sale_from_single_batch search_categories
            selling_prices_use_multiple_units selling_quantities_use_multiple_units
            stock_nominal_code stock_nominal_code_id stock_unit stock_unit_id stocktake_cycle_period
            this_is_the_sop_product_group traceable_type units use_description_on_documents
            use_landed_costs use_reverse_charge_vat_rules uses_alternative_ref uses_sell_by_date
            uses_use_by_date
            """
        ),
    },
    "product_transactions": {
        "": names_in(
            """
            bin_name cost_value date_time_updated id issue_value memo product_code
            product_group_code product_group_id product_id quantity reference second_reference
            source_area_name source_area_reference source_area_type_id total_order_discount
            transaction_date transaction_group_id transaction_type transaction_type_id
            unit_cost_price unit_discount_value unit_issue_price user_name warehouse_name
            """
        ),
    },
    "despatch_lines": {
        "": names_in(
            """
            customer_id customer_name customer_reference date_time_updated product_code product_id
            product_name sop_despatch_consignment_no sop_despatch_courier_name sop_despatch_date
            sop_despatch_document_no sop_despatch_export_reason sop_despatch_id
            sop_despatch_incoterm sop_despatch_line_id sop_despatch_line_is_invoiced
            sop_despatch_line_quantity sop_despatch_notes sop_despatch_pieces sop_despatch_user_name
            sop_despatch_weight sop_order_customer_document_no sop_order_document_date
            sop_order_document_no sop_order_document_status_type sop_order_id
            sop_order_line_despatch_quantity sop_order_line_id sop_order_line_item_code
            sop_order_line_item_description sop_order_line_print_sequence_number
            sop_order_line_quantity sop_order_line_type_id sys_courier_tracking_url
            warehouse_holding_id warehouse_id warehouse_name
            """
        ),
    },
    "despatch_receipts": {
        "": names_in(
            """
            consignment_no courier courier_id courier_name date_time_created date_time_updated
            despatch_date despatch_no despatched_by id notes pieces sop_export_reason
            sop_export_reason_id sop_export_reason_name sop_incoterm sop_incoterm_id
            sop_incoterm_name weight
            """
        ),
    },
    "order_invoice_links": {
        "": names_in(
            """
            customer_id customer_name customer_reference customer_short_name
            sop_invoice_credit_document_date sop_invoice_credit_document_no
            sop_invoice_credit_document_status_id sop_invoice_credit_id
            sop_invoice_credit_total_gross_value sop_invoice_credit_total_net_value
            sop_invoice_credit_total_tax_value sop_invoice_credit_type_id
            sop_order_return_customer_document_no sop_order_return_document_date
            sop_order_return_document_no sop_order_return_document_status_id
            sop_order_return_document_type_id sop_order_return_id sop_order_return_total_gross_value
            sop_order_return_total_net_value sop_order_return_total_tax_value
            """
        ),
    },
    "invoice_credit_lines": {
        "": names_in(
            """
            customer_id customer_name customer_reference
            invoice_line_profit_analysis_date_time_updated invoice_line_profit_analysis_id
            invoice_line_profit_analysis_line_quantity
            invoice_line_profit_analysis_realised_cost_value
            invoice_line_profit_analysis_realised_profit_value product_code
            product_date_time_updated product_description product_group_code
            product_group_date_time_updated product_group_description product_group_id product_id
            product_name sop_invoice_credit_date_time_updated sop_invoice_credit_document_date
            sop_invoice_credit_document_no sop_invoice_credit_document_status
            sop_invoice_credit_exchange_rate sop_invoice_credit_id
            sop_invoice_credit_line_date_time_updated sop_invoice_credit_line_id
            sop_invoice_credit_line_invoice_credit_date sop_invoice_credit_line_tax_value
            sop_invoice_credit_line_total_value sop_invoice_credit_type
            """
        ),
    },
    "return_lines": {
        "": family("sop_return_analysis_code", 20)
        | family("sop_return_line_analysis_code", 20)
        | names_in(
            """
            customer_id customer_name customer_reference product_code product_description product_id
            product_name sop_return_currency_id sop_return_currency_name sop_return_currency_symbol
            sop_return_customer_document_no sop_return_date_time_updated sop_return_document_date
            sop_return_document_no sop_return_document_status sop_return_exchange_rate sop_return_id
            sop_return_line_cost_price sop_return_line_date_time_updated
            sop_return_line_despatch_receipt_quantity sop_return_line_discounted_unit_price
            sop_return_line_id sop_return_line_invoice_credit_quantity
            sop_return_line_line_tax_value sop_return_line_number sop_return_line_product_code
            sop_return_line_product_description sop_return_line_promised_delivery_date
            sop_return_line_quantity sop_return_line_requested_delivery_date
            sop_return_line_selling_unit_description sop_return_line_selling_unit_price
            sop_return_line_total_value sop_return_line_type sop_return_line_unit_discount_percent
            sop_return_line_unit_discount_value sop_return_promised_delivery_date
            sop_return_requested_delivery_date tax_code_code tax_code_id tax_code_name tax_code_rate
            warehouse_id warehouse_name
            """
        ),
    },
    "cancelled_lines": {
        "": names_in(
            """
            cancelled_date cancelled_quantity date_time_created date_time_updated id item_code
            item_description selling_unit_description sop_order_return_id
            stock_unit_cancelled_quantity user_name user_number
            """
        ),
    },
    "sales_historical_transactions": {
        "": names_in(
            """
            bank_items base_allocated_value base_discount_value base_goods_value base_gross_value
            base_tax_discount_value base_tax_value control_value_in_base_currency customer
            customer_id date_time_created date_time_updated discount_days discount_percent
            document_allocated_value document_discount_value document_goods_value
            document_gross_value document_outstanding_value document_tax_discount_value
            document_tax_value due_date exchange_rate full_settlement_date id nominal_analysis_items
            posted_date queried reference second_reference settled_immediately tax_analysis_items
            trader_transaction_type transaction_date urn user_name
            """
        ),
    },
    "nominal_period_values": {
        "": names_in(
            """
            accounting_period_end_date accounting_period_id accounting_period_period_number
            accounting_period_start_date financial_year_id financial_year_start_date
            nominal_code_account_number_cost_centre_id nominal_code_account_status_type
            nominal_code_account_type nominal_code_cost_centre nominal_code_cost_centre_id
            nominal_code_department nominal_code_department_id nominal_code_id nominal_code_name
            nominal_code_reference nominal_code_report_category_id nominal_period_value_actual_value
            nominal_period_value_adjustment_after_year_end_close nominal_period_value_budget_value
            nominal_period_value_id number_of_periods_in_year year_relative_to_current_year
            """
        ),
    },
    "cost_centres": {
        "": names_in(
            """
            code contact_details contact_email_address contact_name date_time_created
            date_time_updated id is_to_delete name
            """
        ),
    },
    "departments": {
        "": names_in(
            """
            code contact_details contact_email_address contact_name date_time_created
            date_time_updated id is_to_delete name status
            """
        ),
    },
    "control_nominal_codes": {
        "": names_in(
            """
            account_number control_nominal_code_type date_time_created date_time_updated id name
            nominal_reporting_type
            """
        ),
    },
    "analysis_code_mappings": {
        "": names_in(
            """
            analysis_code analysis_code_id class_name date_time_created date_time_updated
            friendly_class_name friendly_property_name id is_mandatory is_read_only property_name
            slot
            """
        ),
    },
    "system_settings": {
        "": names_in(
            """
            accounting_period_validation_type date_time_created date_time_updated
            financial_year_end_date first_vat_return_date first_vat_return_date_defined id
            intrastat_value_for_consolidation invoice_credit_note_same_numbers
            next_credit_note_number next_invoice_number next_journal_entry_number next_urn
            number_open_periods reverse_charge_minimum_value transaction_analysis_heading
            transaction_date_validation update_nominal_online use_additional_trans_analysis
            use_cost_centre_breakdown use_intrastat_reporting use_period_exchange_rates
            use_segmented_address
            """
        ),
    },
    "sop_settings": {
        "": names_in(
            """
            add_invoice_credit_note_to_sales_ledger allocate_stock_on_order_entry
            allow_amend_picking_lists allow_cash_orders allow_payment_with_order
            allow_prospect_quotes amend_analysis_codes amend_header_analysis_codes
            amend_nominal_codes archive_last_purged_up_to are_prices_tax_inclusive
            auto_generate_order_return_numbers auto_print_picking_lists cash_order_account
            cash_order_account_id date_time_created date_time_updated
            default_free_text_confirm_intent_type default_service_labour_confirm_intent_type
            fully_paid_invoice_text generate_intrastat_entries id
            include_statistical_value_on_intrastat include_terms_of_delivery_on_intrastat
            intrastat_date_type invoice_payment_immediately invoicing_last_deleted_up_to
            last_archive_run_by last_archive_run_on last_invoicing_delete_run_by
            last_invoicing_delete_run_on last_purge_archive_run_by last_purge_archive_run_on
            minimum_number_of_lines_for_frequent_items mode_of_transport_id
            nature_of_transaction_code_id number_of_days_for_frequent_items
            number_of_days_for_recent_items order_line_item_type orders_returns_last_archived_up_to
            print_despatch_notes print_order_acknowledgements print_picking_lists
            print_traceable_numbers_on_despatch_notes print_traceable_numbers_on_invoices
            print_traceable_numbers_on_order_acknowledgements
            print_traceable_numbers_on_picking_lists prospect_quote_account
            prospect_quote_account_id record_cancelled_order_lines record_tracking_on_despatch
            revenue_nominal_account_same_as show_frequent_items show_order_number_on_confirm
            show_preferred_items show_recent_items show_unallocated_items_on_picking_list
            show_undespatched_items_on_despatch_note sop_credit_note_cis_reverse_charge_text_type
            sop_invoice_cis_reverse_charge_text_type sop_print_eu_zero_rated_sales_option_id
            sop_reverse_charge_invoice_option_type terms_of_delivery_type update_stock_on_despatch
            use_card_processing use_cross_selling_items use_invoice_date_on_stock_history
            use_same_cost_centre_department_as_customer use_same_cost_centre_department_for_assets
            use_same_cost_centre_department_for_issues use_sop_reverse_charge_invoice_option
            user_logon_as_order_taker
            """
        ),
    },
    "stock_settings": {
        "": names_in(
            """
            allocate_individual_items allow_fulfilment_from_stock
            allow_fulfilment_from_supplier_direct_to_customer
            allow_fulfilment_from_supplier_via_stock allow_negative_stocktake
            allow_negative_stocktake_with_purchase_order date_time_created date_time_updated
            generate_cos_for_sop id integrate_stock_management_with_nominal internal_areas
            landed_costs_nominal_code_id profit_percent_of_revenue record_numbers_on_goods_received
            use_landed_costs use_multiple_locations use_search_categories
            """
        ),
    },
    "sales_ledger_settings": {
        "": names_in(
            """
            ageing_periods allow_additional_trans_analysis allow_batch_processing
            archive_transaction_after_keeping auto_generate_account_numbers
            charge_interest_on_finance_charges copy_statements_for_head_offices date_time_created
            date_time_updated default_payment_terms_basis default_payment_terms_days
            default_tax_code default_tax_code_id default_terms_agreed early_settlement_discount_days
            early_settlement_discount_percent finance_charges id keep_transactions_for
            maximum_enquiry_transactions_to_display next_account_number no_of_reporting_periods
            overdue_periods revalue_foreign_entries show_outstanding_transactions
            statement_ageing_terms statement_terms tax_recovery_period
            use_account_periods_as_trading_periods use_card_processing
            use_transaction_date_for_allocation
            """
        ),
    },
    "nominal_ledger_settings": {
        "": names_in(
            """
            allow_additional_trans_analysis budget_profiles budget_titles date_time_created
            date_time_updated id is_consolidation_enabled keep_nominal_transactions
            months_to_keep_transactions use_expanded_budgets
            """
        ),
    },
    "cash_book_settings": {
        "": names_in(
            """
            default_bank_account default_bank_account_id id
            """
        ),
    },
}

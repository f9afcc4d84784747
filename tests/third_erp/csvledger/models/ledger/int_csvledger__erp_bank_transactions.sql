-- The cash book as int_ledger__erp_bank_transactions takes it.
{{ config(materialized='view') }}

select
    erp_code,
    line_id as posted_transaction_id,
    bank_code,
    cast(null as varchar) as account_code,
    urn,
    cast(null as varchar) as reference,
    cast(null as varchar) as second_reference,
    entry_text as narrative,
    cast(null as varchar) as counterparty_name,
    cast(null as varchar) as currency_code,
    transaction_date,
    amount
from {{ ref('stg_csvledger__cash_book') }}

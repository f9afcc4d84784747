-- The legs as int_ledger__erp_postings takes them.
{{ config(materialized='view') }}

select
    erp_code,
    posting_id,
    urn,
    transaction_date,
    cast(null as date) as period_start_date,
    account_code,
    cast(null as varchar) as cost_centre,
    cast(null as varchar) as department,
    reference,
    cast(null as varchar) as part_code,
    narrative,
    debit,
    credit
from {{ ref('stg_csvledger__postings') }}

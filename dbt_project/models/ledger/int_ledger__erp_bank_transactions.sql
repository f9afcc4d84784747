-- One row per ERP company and posted cash-book transaction. amount > 0 is money into the cash-book account.

with transactions as (
    select * from {{ ref('stg_sage200__bank_posted_transactions') }}
),

banks as (
    select * from {{ ref('stg_sage200__banks') }}
),

erps as (
    select * from {{ ref('stg_tieout__erps') }}
),

final as (
    select
        transactions.erp_code,
        erps.entity_code,
        transactions.posted_transaction_id,
        banks.bank_code,
        banks.nominal_reference as account_code,
        transactions.urn,
        transactions.bank_transaction_type,
        transactions.reference,
        transactions.second_reference,
        transactions.transaction_date,
        {{ money('transactions.amount') }} as amount,
        transactions.user_name
    from transactions
    inner join erps
        on transactions.erp_code = erps.erp_code
    left join banks
        on
            transactions.erp_code = banks.erp_code
            and transactions.bank_id = banks.bank_id
)

select * from final

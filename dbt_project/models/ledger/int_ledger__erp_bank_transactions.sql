-- One row per ERP company and posting on a bank or cash-book account. amount > 0 is money into the account, in its currency.
-- urn: the posting event; narrative and counterparty_name where the ERP says so, the latter never of a private person.

with
{% if uses('sage200') -%}
sage200 as (
    select
        transactions.erp_code,
        transactions.posted_transaction_id,
        banks.bank_code,
        banks.nominal_reference as account_code,
        transactions.urn,
        transactions.reference,
        transactions.second_reference,
        transactions.narrative,
        cast(null as varchar) as counterparty_name,
        currencies.currency_code,
        transactions.transaction_date,
        transactions.amount
    from {{ ref('stg_sage200__bank_posted_transactions') }} as transactions
    left join {{ ref('stg_sage200__banks') }} as banks
        on
            transactions.erp_code = banks.erp_code
            and transactions.bank_id = banks.bank_id
    left join {{ ref('stg_sage200__currencies') }} as currencies
        on
            banks.erp_code = currencies.erp_code
            and banks.currency_id = currencies.currency_id
),

{% endif -%}
{% if uses('netsuite') -%}
netsuite as (
    select
        legs.erp_code,
        legs.transaction_id || '-' || legs.line_id as posted_transaction_id,
        accounts.account_code as bank_code,
        accounts.account_code,
        legs.transaction_id as urn,
        legs.reference,
        cast(null as varchar) as second_reference,
        legs.memo as narrative,
        customers.company_name as counterparty_name,
        currencies.currency_code,
        legs.transaction_date,
        coalesce(legs.foreign_amount, coalesce(legs.debit, 0) - coalesce(legs.credit, 0)) as amount
    from {{ ref('stg_netsuite__gl_lines') }} as legs
    inner join {{ ref('stg_netsuite__accounts') }} as accounts
        on
            legs.erp_code = accounts.erp_code
            and legs.account_id = accounts.account_id
            and accounts.account_type in ('Bank', 'CredCard')
    left join {{ ref('stg_netsuite__customers') }} as customers
        on
            legs.erp_code = customers.erp_code
            and legs.entity_id = customers.customer_id
    left join {{ ref('stg_netsuite__currencies') }} as currencies
        on
            legs.erp_code = currencies.erp_code
            and coalesce(accounts.currency_id, legs.currency_id) = currencies.currency_id
    where legs.is_counted
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
        unioned.bank_code,
        unioned.account_code,
        unioned.urn,
        unioned.reference,
        unioned.second_reference,
        unioned.narrative,
        unioned.counterparty_name,
        unioned.currency_code,
        unioned.transaction_date,
        {{ money('unioned.amount') }} as amount
    from unioned
    inner join erps
        on unioned.erp_code = erps.erp_code
)

select * from final

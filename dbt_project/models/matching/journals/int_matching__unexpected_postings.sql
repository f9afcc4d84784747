-- Grain: ERP posting event on an account of a marketplace that only journals move, without a journal's wire key: clearing, reserve,
-- pass-through, what is due to marketplaces, pending VAT; and on its customer account what is no invoice and no credit note. When it
-- moves the same accounts by the same amounts as a journal within 35 days, it is a copy of that journal made by hand.
with

postings as {{ inlined() }} (

    select * from {{ ref('int_ledger__erp_postings') }}

),

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}
    where has_books

),

journals as (

    select * from {{ ref('int_accounting__journals') }}

),

documents as (

    select * from {{ ref('int_matching__journal_documents') }}

),

controlled_accounts as (

    select
        accounts.marketplace_code,
        accounts.entity_code,
        accounts.currency_code,
        accounts.erp_code,
        accounts.account_role,
        accounts.account_code,
        accounts.cost_centre,
        accounts.department,
        accounts.go_live_date
    from {{ ref('int_matching__controlled_accounts') }} as accounts
    union all
    -- No accounts with a roll-forward to the marketplace, and as little anybody else's.
    select
        ranked.marketplace_code,
        ranked.entity_code,
        ranked.currency_code,
        ranked.erp_code,
        ranked.account_role,
        ranked.account_code,
        ranked.cost_centre,
        ranked.department,
        ranked.go_live_date
    from (
        select
            marketplaces.marketplace_code,
            marketplaces.entity_code,
            marketplaces.currency_code,
            marketplaces.erp_code,
            marketplaces.go_live_date,
            accounts.account_role,
            accounts.account_code,
            accounts.cost_centre,
            accounts.department,
            row_number() over (
                partition by marketplaces.erp_code, accounts.account_code, accounts.cost_centre, accounts.department
                order by
                    case when accounts.marketplace_code = '*' then 1 else 0 end asc,
                    marketplaces.marketplace_code asc,
                    accounts.effective_from desc
            ) as choice_number
        from marketplaces
        inner join {{ ref('stg_tieout__accounts') }} as accounts
            on
                marketplaces.entity_code = accounts.entity_code
                and (marketplaces.marketplace_code = accounts.marketplace_code or accounts.marketplace_code = '*')
                and (marketplaces.functional_currency = accounts.currency_code or accounts.currency_code = '*')
        where accounts.account_role in ('DUE_TO_MARKETPLACE', 'INPUT_VAT_PENDING', 'OUTPUT_VAT_PENDING')
    ) as ranked
    where ranked.choice_number = 1

),

known as (

    select distinct
        journals.erp_code,
        journals.wire_key
    from journals

),

on_accounts as (

    select
        controlled_accounts.marketplace_code,
        controlled_accounts.entity_code,
        controlled_accounts.currency_code,
        postings.erp_code,
        postings.urn,
        min(controlled_accounts.account_role) as account_role,
        min(postings.transaction_date) as transaction_date,
        min(postings.period) as period,
        max(postings.reference) as reference,
        cast(sum(postings.net_amount) as decimal(18, 2)) as net_amount
    from postings
    inner join controlled_accounts
        on
            postings.erp_code = controlled_accounts.erp_code
            and postings.account_code = controlled_accounts.account_code
            and postings.cost_centre = controlled_accounts.cost_centre
            and postings.department = controlled_accounts.department
    left join known
        on
            postings.erp_code = known.erp_code
            and postings.reference = known.wire_key
    where
        known.wire_key is null
        -- Of a voided document legs of nil stay behind.
        and postings.net_amount <> 0
        and postings.transaction_date >= controlled_accounts.go_live_date
    group by
        controlled_accounts.marketplace_code,
        controlled_accounts.entity_code,
        controlled_accounts.currency_code,
        postings.erp_code,
        postings.urn

),

-- The customer account is a sub-ledger's: what stands there is a sale, a credit, or one of ours.
on_customers as (

    select
        marketplaces.marketplace_code,
        marketplaces.entity_code,
        marketplaces.functional_currency as currency_code,
        transactions.erp_code,
        transactions.urn,
        'AR_MARKETPLACE' as account_role,
        min(transactions.transaction_date) as transaction_date,
        {{ period_of('min(transactions.transaction_date)') }} as period,
        max(transactions.reference) as reference,
        cast(sum(transactions.functional_amount) as decimal(18, 2)) as net_amount
    from {{ ref('int_ledger__erp_customer_transactions') }} as transactions
    inner join marketplaces
        on
            transactions.erp_code = marketplaces.erp_code
            and transactions.customer_reference = marketplaces.customer_reference
            and transactions.transaction_date >= marketplaces.go_live_date
    left join known
        on
            transactions.erp_code = known.erp_code
            and transactions.reference = known.wire_key
    left join on_accounts
        on
            transactions.erp_code = on_accounts.erp_code
            and transactions.urn = on_accounts.urn
    where
        transactions.kind not in ('INVOICE', 'CREDIT_NOTE')
        and known.wire_key is null
        and on_accounts.urn is null
    group by
        marketplaces.marketplace_code,
        marketplaces.entity_code,
        marketplaces.functional_currency,
        transactions.erp_code,
        transactions.urn
    having sum(transactions.functional_amount) <> 0

),

strangers as (

    select * from on_accounts
    union all
    select * from on_customers

),

printed as (

    select
        strangers.erp_code,
        strangers.urn
    from strangers
    union
    select
        documents.erp_code,
        documents.urn
    from documents

),

fingerprints as (

    -- Accounts and amounts of one posting event as text: equal text, equal legs.
    select
        legs.erp_code,
        legs.urn,
        {{ ordered_list(
            "legs.account_code || '/' || legs.cost_centre || '/' || legs.department || '=' || cast(legs.net_amount as varchar)",
            "'|'",
            'legs.account_code, legs.cost_centre, legs.department'
        ) }} as fingerprint
    from (
        select
            postings.erp_code,
            postings.urn,
            postings.account_code,
            postings.cost_centre,
            postings.department,
            cast(sum(postings.net_amount) as decimal(18, 2)) as net_amount
        from postings
        inner join printed
            on
                postings.erp_code = printed.erp_code
                and postings.urn = printed.urn
        group by postings.erp_code, postings.urn, postings.account_code, postings.cost_centre, postings.department
    ) as legs
    group by legs.erp_code, legs.urn

),

copies as (

    select
        strangers.erp_code,
        strangers.urn,
        documents.journal_key,
        row_number() over (
            partition by strangers.erp_code, strangers.urn
            order by
                abs({{ days_between('documents.transaction_date', 'strangers.transaction_date') }}),
                documents.journal_key
        ) as choice_number
    from strangers
    inner join fingerprints as stranger_prints
        on
            strangers.erp_code = stranger_prints.erp_code
            and strangers.urn = stranger_prints.urn
    inner join fingerprints as document_prints
        on
            stranger_prints.erp_code = document_prints.erp_code
            and stranger_prints.fingerprint = document_prints.fingerprint
    inner join documents
        on
            document_prints.erp_code = documents.erp_code
            and document_prints.urn = documents.urn
    where abs({{ days_between('documents.transaction_date', 'strangers.transaction_date') }}) <= 35

),

final as (

    select
        strangers.marketplace_code,
        strangers.entity_code,
        strangers.currency_code,
        strangers.erp_code,
        strangers.urn,
        strangers.account_role,
        strangers.transaction_date,
        strangers.period,
        strangers.reference,
        strangers.net_amount,
        copies.journal_key as copied_journal_key
    from strangers
    left join copies
        on
            strangers.erp_code = copies.erp_code
            and strangers.urn = copies.urn
            and copies.choice_number = 1

)

select * from final

-- Grain: ERP posting event (URN) × account role × period, of the profit and loss accounts that roles are mapped to. Says which
-- marketplace it belongs to and by what document: a journal of ours, an invoice, a credit note, a despatch, or a hand.
-- scope: CHANNEL, OTHER_BUSINESS (a document of another customer) or UNATTRIBUTED (a shared account that names nobody).
-- amount = credit - debit in the functional currency: income positive, cost negative.
{{ config(schema='accounting', materialized='table') }}

with

profit_lines as (

    select * from {{ ref('stg_tieout__profit_lines') }}

),

profit_accounts as (

    select distinct
        accounts.entity_code,
        accounts.account_code
    from {{ ref('stg_tieout__accounts') }} as accounts
    inner join profit_lines
        on accounts.account_role = profit_lines.account_role

),

postings as (

    select
        legs.erp_code,
        legs.entity_code,
        legs.urn,
        legs.period,
        legs.account_code,
        legs.cost_centre,
        legs.department,
        min(legs.reference) as reference,
        cast(-sum(legs.net_amount) as decimal(18, 2)) as amount
    from {{ ref('int_ledger__erp_postings') }} as legs
    inner join profit_accounts
        on
            legs.entity_code = profit_accounts.entity_code
            and legs.account_code = profit_accounts.account_code
    group by
        legs.erp_code,
        legs.entity_code,
        legs.urn,
        legs.period,
        legs.account_code,
        legs.cost_centre,
        legs.department

),

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}
    where has_books

),

only_marketplaces as (

    select
        erp_code,
        min(marketplace_code) as marketplace_code
    from marketplaces
    group by erp_code
    having count(*) = 1

),

-- The role of an account: the mapping of its very cost centre and department before one without, the newest first.
account_roles as (

    select
        ranked.entity_code,
        ranked.account_code,
        ranked.cost_centre,
        ranked.department,
        ranked.account_role,
        ranked.owner_code,
        ranked.is_shared
    from (
        select
            used.entity_code,
            used.account_code,
            used.cost_centre,
            used.department,
            accounts.account_role,
            case when accounts.marketplace_code <> '*' then accounts.marketplace_code end as owner_code,
            profit_lines.is_shared,
            row_number() over (
                partition by used.entity_code, used.account_code, used.cost_centre, used.department
                order by
                    case when coalesce(accounts.cost_centre, '') <> '' then 0 else 1 end,
                    case when coalesce(accounts.department, '') <> '' then 0 else 1 end,
                    accounts.effective_from desc,
                    accounts.account_role asc,
                    accounts.marketplace_code asc
            ) as choice_number
        from (
            select distinct
                entity_code,
                account_code,
                cost_centre,
                department
            from postings
        ) as used
        inner join {{ ref('stg_tieout__accounts') }} as accounts
            on
                used.entity_code = accounts.entity_code
                and used.account_code = accounts.account_code
                and coalesce(accounts.cost_centre, '') in ('', used.cost_centre)
                and coalesce(accounts.department, '') in ('', used.department)
        inner join profit_lines
            on accounts.account_role = profit_lines.account_role
    ) as ranked
    where ranked.choice_number = 1

),

journals as (

    select
        erp_code,
        wire_key,
        min(marketplace_code) as marketplace_code,
        min(kind) as kind,
        min(document_id) as document_id
    from {{ ref('int_accounting__journals') }}
    group by erp_code, wire_key

),

documents as (

    select
        erp_code,
        urn,
        min(kind) as kind,
        min(customer_reference) as customer_reference,
        min(second_reference) as second_reference
    from {{ ref('int_ledger__erp_customer_transactions') }}
    where kind in ('INVOICE', 'CREDIT_NOTE')
    group by erp_code, urn

),

credit_notes as (

    select
        erp_code,
        urn,
        min(order_id) as order_id,
        min(order_line_id) as order_line_id
    from {{ ref('int_matching__credit_notes') }}
    group by erp_code, urn

),

-- An ERP order by its own number, or by the marketplace's where that is what a document names.
order_names as (

    select
        named.erp_code,
        named.order_name,
        min(named.erp_order_id) as erp_order_id
    from (
        select
            erp_code,
            document_no as order_name,
            erp_order_id
        from {{ ref('int_ledger__erp_orders') }}
        where document_no is not null and not is_draft
        union
        select
            erp_code,
            order_reference as order_name,
            erp_order_id
        from {{ ref('int_ledger__erp_orders') }}
        where order_reference is not null and is_invoiced and not is_draft
    ) as named
    group by named.erp_code, named.order_name

),

dispatches as (

    select
        erp_code,
        dispatch_no,
        min(erp_order_id) as erp_order_id
    from {{ ref('int_ledger__erp_dispatches') }}
    group by erp_code, dispatch_no

),

owners as (

    select
        erp_orders.erp_code,
        erp_orders.erp_order_id,
        orders.marketplace_code,
        orders.order_id
    from {{ ref('int_ledger__erp_orders') }} as erp_orders
    inner join {{ ref('int_ledger__orders') }} as orders
        on
            erp_orders.erp_code = orders.erp_code
            and erp_orders.order_reference = orders.order_id

),

named as (

    select
        postings.erp_code,
        postings.entity_code,
        postings.urn,
        postings.period,
        postings.amount,
        account_roles.account_role,
        account_roles.owner_code,
        account_roles.is_shared,
        journals.marketplace_code as journal_marketplace_code,
        journals.kind as journal_kind,
        journals.document_id,
        documents.kind as document_kind,
        documents.customer_reference,
        dispatches.erp_order_id is not null as is_dispatch,
        dispatches.dispatch_no,
        coalesce(order_names.erp_order_id, dispatches.erp_order_id) as erp_order_id,
        credit_notes.order_id as credited_order_id,
        credit_notes.order_line_id as credited_line_id
    from postings
    inner join account_roles
        on
            postings.entity_code = account_roles.entity_code
            and postings.account_code = account_roles.account_code
            and postings.cost_centre = account_roles.cost_centre
            and postings.department = account_roles.department
    left join journals
        on
            postings.erp_code = journals.erp_code
            and postings.reference = journals.wire_key
    left join documents
        on
            postings.erp_code = documents.erp_code
            and postings.urn = documents.urn
    left join order_names
        on
            documents.kind = 'INVOICE'
            and documents.erp_code = order_names.erp_code
            and documents.second_reference = order_names.order_name
    left join credit_notes
        on
            postings.erp_code = credit_notes.erp_code
            and postings.urn = credit_notes.urn
    left join dispatches
        on
            documents.urn is null
            and postings.erp_code = dispatches.erp_code
            and postings.reference = dispatches.dispatch_no

),

attributed as (

    select
        named.*,
        owners.order_id,
        case
            when named.journal_kind = 'SETTLEMENT' then 'SETTLEMENT'
            when named.journal_kind is not null then 'JOURNAL'
            when named.document_kind is not null then named.document_kind
            when named.is_dispatch then 'DISPATCH'
            else 'MANUAL'
        end as source_kind,
        coalesce(
            named.journal_marketplace_code,
            owners.marketplace_code,
            customers.marketplace_code,
            -- A document of somebody else stays his, whatever the account is otherwise used for.
            case
                when named.document_kind is null and not named.is_dispatch
                    then coalesce(
                        named.owner_code, case when not named.is_shared then only_marketplaces.marketplace_code end
                    )
            end
        ) as marketplace_code
    from named
    left join owners
        on
            named.erp_code = owners.erp_code
            and named.erp_order_id = owners.erp_order_id
    left join marketplaces as customers
        on
            named.erp_code = customers.erp_code
            and named.customer_reference = customers.customer_reference
    left join only_marketplaces
        on named.erp_code = only_marketplaces.erp_code

),

final as (

    select
        attributed.erp_code,
        attributed.entity_code,
        attributed.urn,
        attributed.period,
        attributed.account_role,
        attributed.source_kind,
        case
            when attributed.marketplace_code is not null then 'CHANNEL'
            when attributed.source_kind = 'MANUAL' then 'UNATTRIBUTED'
            else 'OTHER_BUSINESS'
        end as scope,
        attributed.marketplace_code,
        min(attributed.document_id) as document_id,
        min(attributed.dispatch_no) as dispatch_no,
        min(attributed.erp_order_id) as erp_order_id,
        min(coalesce(attributed.order_id, attributed.credited_order_id)) as order_id,
        min(attributed.credited_line_id) as order_line_id,
        cast(sum(attributed.amount) as decimal(18, 2)) as amount
    from attributed
    group by
        attributed.erp_code,
        attributed.entity_code,
        attributed.urn,
        attributed.period,
        attributed.account_role,
        attributed.source_kind,
        attributed.marketplace_code

)

select * from final

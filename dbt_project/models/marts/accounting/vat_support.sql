-- Grain: entity × period × VAT account role × marketplace × section × country × tax code × analysis code. What stands behind the VAT of a return. Tax that
-- is owed is positive, tax that is recovered negative. SALES and CREDIT_NOTES come from the ERP's documents on the marketplace's
-- customer account, split by the codes of the order's lines; FEES from what settlement journals posted; OTHER_BUSINESS are documents
-- of other customers, BY_HAND postings that belong to neither. LEDGER is what the accounts hold, turned: all but the memo sections add
-- up to 0.00 per entity, period and role. COLLECTED_BY_OPERATOR is a memo: tax that is on nobody's return here. In the books' own currency.
-- analysis_code is what the lines in the ERP carry, and what analysis_codes.csv says where that ERP carries none.
with

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}
    where has_books

),

entities as (

    select * from {{ ref('stg_tieout__entities') }}

),

-- Reverse charge roles usually share the two accounts; the plain role names the account then.
vat_accounts as (

    select
        ranked.entity_code,
        ranked.account_code,
        ranked.account_role
    from (
        select
            accounts.entity_code,
            accounts.account_code,
            case accounts.account_role
                when 'RC_OUTPUT_VAT' then 'OUTPUT_VAT'
                when 'RC_INPUT_VAT' then 'INPUT_VAT'
                else accounts.account_role
            end as account_role,
            row_number() over (
                partition by accounts.entity_code, accounts.account_code
                order by
                    case when accounts.account_role in ('OUTPUT_VAT', 'INPUT_VAT') then 0 else 1 end,
                    accounts.effective_from desc,
                    accounts.account_role asc
            ) as choice_number
        from {{ ref('stg_tieout__accounts') }} as accounts
        where accounts.account_role in ('OUTPUT_VAT', 'INPUT_VAT', 'RC_OUTPUT_VAT', 'RC_INPUT_VAT')
    ) as ranked
    where ranked.choice_number = 1

),

-- One row per posting event and role: what it moved on the VAT accounts.
legs as (

    select
        postings.erp_code,
        postings.entity_code,
        postings.urn,
        postings.period,
        vat_accounts.account_role,
        min(postings.reference) as reference,
        cast(-sum(postings.net_amount) as decimal(18, 2)) as tax_amount
    from {{ ref('int_ledger__erp_postings') }} as postings
    inner join vat_accounts
        on
            postings.entity_code = vat_accounts.entity_code
            and postings.account_code = vat_accounts.account_code
    group by
        postings.erp_code, postings.entity_code, postings.urn, postings.period, vat_accounts.account_role

),

-- The codes of an order's lines in the ERP, as shares of the order.
analysed_erps as (

    select distinct erp_code
    from {{ ref('stg_tieout__erps') }}
    where vat_analysis_slot is not null

),

-- What the map says, where the ERP keeps no such codes: of one order and tax code, carriage goes with the goods.
mapped_codes as (

    select
        pairs.erp_code,
        pairs.erp_order_id,
        line_pairs.erp_tax_code as tax_code,
        min(line_pairs.vat_analysis_code) as analysis_code
    from {{ ref('int_matching__order_line_pairs') }} as line_pairs
    inner join {{ ref('int_matching__order_pairs') }} as pairs
        on
            line_pairs.marketplace_code = pairs.marketplace_code
            and line_pairs.order_id = pairs.order_id
    left join analysed_erps
        on pairs.erp_code = analysed_erps.erp_code
    where analysed_erps.erp_code is null and line_pairs.vat_analysis_code is not null
    group by pairs.erp_code, pairs.erp_order_id, line_pairs.erp_tax_code

),

order_codes as (

    select
        lines.erp_code,
        lines.erp_order_id,
        lines.tax_code,
        coalesce(lines.vat_analysis_code, mapped_codes.analysis_code, '') as analysis_code,
        cast(sum(lines.net_amount) as decimal(18, 2)) as net_amount,
        cast(sum(lines.tax_amount) as decimal(18, 2)) as tax_amount
    from {{ ref('int_ledger__erp_order_lines') }} as lines
    left join mapped_codes
        on
            lines.erp_code = mapped_codes.erp_code
            and lines.erp_order_id = mapped_codes.erp_order_id
            and lines.tax_code = mapped_codes.tax_code
    where not lines.is_cancelled and lines.tax_code is not null
    group by
        lines.erp_code,
        lines.erp_order_id,
        lines.tax_code,
        coalesce(lines.vat_analysis_code, mapped_codes.analysis_code, '')

),

order_totals as (

    select
        order_codes.erp_code,
        order_codes.erp_order_id,
        count(*) as code_count,
        count(distinct order_codes.tax_code) as tax_code_count,
        min(order_codes.tax_code) as tax_code,
        min(order_codes.analysis_code) as analysis_code,
        cast(sum(order_codes.net_amount) as decimal(18, 2)) as net_amount,
        cast(sum(order_codes.tax_amount) as decimal(18, 2)) as tax_amount
    from order_codes
    group by order_codes.erp_code, order_codes.erp_order_id

),

erp_orders as (

    select
        erp_code,
        document_no,
        min(erp_order_id) as erp_order_id,
        min(order_reference) as order_reference
    from {{ ref('int_ledger__erp_orders') }}
    where document_no is not null and not is_draft
    group by erp_code, document_no

),

invoices as (

    select
        marketplaces.marketplace_code,
        marketplaces.entity_code,
        transactions.erp_code,
        transactions.urn,
        coalesce(erp_orders.order_reference, transactions.second_reference) as order_id,
        -- An invoice names the ERP's order, or the marketplace's where that is what the ERP keeps.
        coalesce(erp_orders.erp_order_id, pairs.erp_order_id) as erp_order_id,
        transactions.transaction_date,
        cast(transactions.functional_amount as decimal(18, 2)) as gross_amount,
        transactions.goods_amount,
        transactions.tax_amount,
        coalesce(marketplaces.currency_code <> marketplaces.functional_currency, false) as is_foreign
    from {{ ref('int_ledger__erp_customer_transactions') }} as transactions
    inner join marketplaces
        on
            transactions.erp_code = marketplaces.erp_code
            and transactions.customer_reference = marketplaces.customer_reference
    left join erp_orders
        on
            transactions.erp_code = erp_orders.erp_code
            and transactions.second_reference = erp_orders.document_no
    left join {{ ref('int_matching__order_pairs') }} as pairs
        on
            marketplaces.marketplace_code = pairs.marketplace_code
            and transactions.second_reference = pairs.order_id
    where transactions.kind = 'INVOICE'

),

invoice_parts as (

    -- An invoice over all of its order is split as its lines are; over a part of it, only where the order has one code.
    select
        invoices.marketplace_code,
        invoices.entity_code,
        invoices.erp_code,
        invoices.urn,
        invoices.order_id,
        invoices.transaction_date,
        'SALES' as section,
        case when order_totals.tax_code_count = 1 then order_totals.tax_code else order_codes.tax_code end as tax_code,
        case when order_totals.code_count = 1 then order_totals.analysis_code else order_codes.analysis_code end
            as analysis_code,
        coalesce(order_codes.net_amount, invoices.goods_amount) as net_amount,
        coalesce(order_codes.tax_amount, invoices.tax_amount) as tax_amount,
        invoices.gross_amount,
        invoices.is_foreign
    from invoices
    left join order_totals
        on
            invoices.erp_code = order_totals.erp_code
            and invoices.erp_order_id = order_totals.erp_order_id
    left join order_codes
        on
            order_totals.erp_code = order_codes.erp_code
            and order_totals.erp_order_id = order_codes.erp_order_id
            and order_totals.code_count > 1
            and invoices.goods_amount = order_totals.net_amount
            and invoices.tax_amount = order_totals.tax_amount
            and not invoices.is_foreign

),

line_codes as (

    select
        pairs.marketplace_code,
        pairs.order_line_id,
        min(pairs.erp_tax_code) as tax_code,
        min(case when pairs.is_analysed then pairs.erp_vat_analysis_code else pairs.vat_analysis_code end)
            as analysis_code
    from {{ ref('int_matching__order_line_pairs') }} as pairs
    where pairs.order_line_id is not null
    group by pairs.marketplace_code, pairs.order_line_id

),

credit_note_parts as (

    select
        notes.marketplace_code,
        notes.entity_code,
        notes.erp_code,
        notes.urn,
        notes.order_id,
        notes.transaction_date,
        'CREDIT_NOTES' as section,
        line_codes.tax_code,
        line_codes.analysis_code,
        cast(notes.tax_amount - notes.gross_amount as decimal(18, 2)) as net_amount,
        cast(-notes.tax_amount as decimal(18, 2)) as tax_amount,
        cast(-notes.gross_amount as decimal(18, 2)) as gross_amount,
        coalesce(marketplaces.currency_code <> marketplaces.functional_currency, false) as is_foreign
    from {{ ref('int_matching__credit_notes') }} as notes
    inner join marketplaces
        on notes.marketplace_code = marketplaces.marketplace_code
    left join line_codes
        on
            notes.marketplace_code = line_codes.marketplace_code
            and notes.order_line_id = line_codes.order_line_id

),

documents as (

    select * from invoice_parts
    union all
    select * from credit_note_parts

),

output_legs as (

    select
        legs.erp_code,
        legs.urn,
        min(legs.period) as period,
        cast(sum(legs.tax_amount) as decimal(18, 2)) as tax_amount
    from legs
    where legs.account_role = 'OUTPUT_VAT'
    group by legs.erp_code, legs.urn

),

document_rows as (

    select
        documents.marketplace_code,
        documents.entity_code,
        coalesce(output_legs.period, {{ period_of('documents.transaction_date') }}) as period,
        'OUTPUT_VAT' as account_role,
        documents.section,
        orders.ship_to_country,
        documents.tax_code,
        documents.analysis_code,
        -- A document in another currency is worth what its postings say.
        case
            when documents.is_foreign then documents.gross_amount - coalesce(output_legs.tax_amount, 0)
            else documents.net_amount
        end as net_amount,
        case when documents.is_foreign then coalesce(output_legs.tax_amount, 0) else documents.tax_amount end
            as tax_amount
    from documents
    left join output_legs
        on
            documents.erp_code = output_legs.erp_code
            and documents.urn = output_legs.urn
    left join {{ ref('int_ledger__orders') }} as orders
        on
            documents.marketplace_code = orders.marketplace_code
            and documents.order_id = orders.order_id

),

journals as (

    select
        journals.marketplace_code,
        journals.erp_code,
        journals.wire_key,
        journals.kind,
        marketplaces.operator_country,
        taxes.tax_code,
        taxes.net_amount
    from {{ ref('int_accounting__journals') }} as journals
    inner join marketplaces
        on journals.marketplace_code = marketplaces.marketplace_code
    left join (
        select
            vat_lines.journal_key,
            min(vat_lines.tax_code) as tax_code,
            cast(
                sum(
                    coalesce(base_lines.functional_credit, base_lines.credit)
                    - coalesce(base_lines.functional_debit, base_lines.debit)
                ) as decimal(18, 2)
            ) as net_amount
        from {{ ref('int_accounting__journal_lines') }} as vat_lines
        inner join {{ ref('int_accounting__journal_lines') }} as base_lines
            on
                vat_lines.journal_key = base_lines.journal_key
                and vat_lines.tax_line_of = base_lines.line_no
        where vat_lines.account_type = 'VAT'
        group by vat_lines.journal_key
    ) as taxes
        on journals.journal_key = taxes.journal_key

),

customer_urns as (

    select
        transactions.erp_code,
        transactions.urn,
        max(case when marketplaces.marketplace_code is not null then 1 else 0 end) as is_ours
    from {{ ref('int_ledger__erp_customer_transactions') }} as transactions
    left join marketplaces
        on
            transactions.erp_code = marketplaces.erp_code
            and transactions.customer_reference = marketplaces.customer_reference
    where transactions.kind in ('INVOICE', 'CREDIT_NOTE')
    group by transactions.erp_code, transactions.urn

),

posted_rows as (

    select
        journals.marketplace_code,
        legs.entity_code,
        legs.urn,
        legs.period,
        legs.account_role,
        case
            when journals.wire_key is not null and journals.kind = 'REVERSE_CHARGE' then 'REVERSE_CHARGE'
            when journals.wire_key is not null then 'FEES'
            when customer_urns.urn is not null then 'OTHER_BUSINESS'
            else 'BY_HAND'
        end as section,
        journals.operator_country as ship_to_country,
        journals.tax_code,
        journals.wire_key,
        journals.net_amount,
        legs.tax_amount
    from legs
    left join journals
        on
            legs.erp_code = journals.erp_code
            and legs.reference = journals.wire_key
    left join customer_urns
        on
            legs.erp_code = customer_urns.erp_code
            and legs.urn = customer_urns.urn
    -- Of our own documents the output tax is above already.
    where coalesce(customer_urns.is_ours, 0) = 0 or legs.account_role <> 'OUTPUT_VAT'

),

-- A journal may take several documents; what it bears its tax on counts once.
posted_sums as (

    select
        posted_rows.marketplace_code,
        posted_rows.entity_code,
        posted_rows.period,
        posted_rows.account_role,
        posted_rows.section,
        posted_rows.ship_to_country,
        posted_rows.tax_code,
        case when posted_rows.account_role = 'INPUT_VAT' then coalesce(max(posted_rows.net_amount), 0) else 0 end
            as net_amount,
        cast(sum(posted_rows.tax_amount) as decimal(18, 2)) as tax_amount
    from posted_rows
    group by
        posted_rows.marketplace_code,
        posted_rows.entity_code,
        posted_rows.period,
        posted_rows.account_role,
        posted_rows.section,
        posted_rows.ship_to_country,
        posted_rows.tax_code,
        coalesce(posted_rows.wire_key, '')

),

ledger_rows as (

    select
        legs.entity_code,
        legs.period,
        legs.account_role,
        cast(-sum(legs.tax_amount) as decimal(18, 2)) as tax_amount
    from legs
    group by legs.entity_code, legs.period, legs.account_role

),

collected_rows as (

    select
        sale_taxes.marketplace_code,
        sale_taxes.entity_code,
        {{ period_of('sale_taxes.order_date') }} as period,
        sale_taxes.ship_to_country,
        sale_taxes.sale_tax_code as tax_code,
        order_codes.analysis_code,
        cast(sum(sale_taxes.goods_amount) as decimal(18, 2)) as net_amount,
        cast(sum(sale_taxes.remitted_tax_amount) as decimal(18, 2)) as tax_amount
    from {{ ref('int_matching__sale_taxes') }} as sale_taxes
    inner join marketplaces
        on sale_taxes.marketplace_code = marketplaces.marketplace_code
    left join (
        select
            pairs.marketplace_code,
            pairs.order_id,
            min(pairs.vat_analysis_code) as analysis_code
        from {{ ref('int_matching__order_line_pairs') }} as pairs
        group by pairs.marketplace_code, pairs.order_id
    ) as order_codes
        on
            sale_taxes.marketplace_code = order_codes.marketplace_code
            and sale_taxes.order_id = order_codes.order_id
    where sale_taxes.remitted_tax_amount <> 0 and not sale_taxes.is_excluded
    group by
        sale_taxes.marketplace_code,
        sale_taxes.entity_code,
        {{ period_of('sale_taxes.order_date') }},
        sale_taxes.ship_to_country,
        sale_taxes.sale_tax_code,
        order_codes.analysis_code

),

unioned as (

    select
        marketplace_code,
        entity_code,
        period,
        account_role,
        section,
        ship_to_country,
        tax_code,
        analysis_code,
        net_amount,
        tax_amount
    from document_rows
    union all
    select
        marketplace_code,
        entity_code,
        period,
        account_role,
        section,
        ship_to_country,
        tax_code,
        cast(null as varchar) as analysis_code,
        net_amount,
        tax_amount
    from posted_sums
    union all
    select
        cast(null as varchar) as marketplace_code,
        entity_code,
        period,
        account_role,
        'LEDGER' as section,
        cast(null as varchar) as ship_to_country,
        cast(null as varchar) as tax_code,
        cast(null as varchar) as analysis_code,
        0 as net_amount,
        tax_amount
    from ledger_rows
    union all
    select
        marketplace_code,
        entity_code,
        period,
        'OUTPUT_VAT' as account_role,
        'COLLECTED_BY_OPERATOR' as section,
        ship_to_country,
        tax_code,
        analysis_code,
        net_amount,
        tax_amount
    from collected_rows

),

summed as (

    select
        unioned.entity_code,
        unioned.period,
        unioned.account_role,
        coalesce(unioned.marketplace_code, '*') as marketplace_code,
        unioned.section,
        coalesce(unioned.ship_to_country, '') as country_code,
        coalesce(unioned.tax_code, '') as tax_code,
        coalesce(unioned.analysis_code, '') as analysis_code,
        count(*) as row_count,
        cast(sum(unioned.net_amount) as decimal(18, 2)) as net_amount,
        cast(sum(unioned.tax_amount) as decimal(18, 2)) as tax_amount
    from unioned
    group by
        unioned.entity_code,
        unioned.period,
        unioned.account_role,
        coalesce(unioned.marketplace_code, '*'),
        unioned.section,
        coalesce(unioned.ship_to_country, ''),
        coalesce(unioned.tax_code, ''),
        coalesce(unioned.analysis_code, '')

),

tax_roles as (

    -- A code may serve several roles; the sale's name goes before the purchase's on the output side.
    select
        ranked.entity_code,
        ranked.side,
        ranked.erp_tax_code,
        ranked.tax_role,
        ranked.rate_percent
    from (
        select
            tax_codes.entity_code,
            sides.side,
            tax_codes.erp_tax_code,
            tax_codes.tax_role,
            tax_codes.rate_percent,
            row_number() over (
                partition by tax_codes.entity_code, sides.side, tax_codes.erp_tax_code
                order by
                    case
                        when sides.side = 'INPUT_VAT' and tax_codes.tax_role like '%PURCH' then 0
                        when sides.side = 'OUTPUT_VAT' and tax_codes.tax_role like '%SALE' then 0
                        else 1
                    end,
                    tax_codes.effective_from desc,
                    tax_codes.tax_role asc
            ) as choice_number
        from {{ ref('stg_tieout__tax_codes') }} as tax_codes
        cross join (
            select distinct vat_accounts.account_role as side
            from vat_accounts
        ) as sides
    ) as ranked
    where ranked.choice_number = 1

),

final as (

    select
        summed.entity_code,
        summed.period,
        {{ period_of(vat_period_end(
            "cast(summed.period || '-01' as date)", 'entities.vat_period_months', 'entities.vat_period_end_month'
        )) }} as vat_period,
        summed.account_role,
        summed.marketplace_code,
        summed.section,
        summed.section = 'COLLECTED_BY_OPERATOR' as is_memo,
        summed.country_code,
        summed.tax_code,
        tax_roles.tax_role,
        tax_roles.rate_percent,
        summed.analysis_code,
        cast(summed.row_count as integer) as row_count,
        summed.net_amount,
        summed.tax_amount,
        entities.functional_currency as currency_code
    from summed
    inner join entities
        on summed.entity_code = entities.entity_code
    left join tax_roles
        on
            summed.entity_code = tax_roles.entity_code
            and summed.account_role = tax_roles.side
            and summed.tax_code = tax_roles.erp_tax_code

)

select * from final

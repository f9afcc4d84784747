-- Grain: journal line. Exactly one of debit and credit is filled, and of the functional ones; an exchange difference has none in the
-- document's currency. Functional amounts are the document's own while both currencies are one; they are empty while a rate is missing.
with

lines as (

    select * from {{ ref('int_accounting__journal_lines') }}

),

journals as (

    select * from {{ ref('journals') }}

),

final as (

    select
        lines.marketplace_code,
        lines.entity_code,
        lines.journal_key,
        lines.line_no,
        journals.kind,
        journals.posting_date,
        journals.period,
        lines.account_role,
        lines.account_type,
        lines.shop_id,
        lines.account_code,
        lines.cost_centre,
        lines.department,
        lines.bank_code,
        lines.debit,
        lines.credit,
        lines.currency_code,
        lines.functional_debit,
        lines.functional_credit,
        lines.functional_currency_code,
        lines.exchange_rate,
        lines.rate_source,
        lines.rate_date,
        lines.tax_code,
        lines.tax_line_of,
        lines.narrative,
        lines.source_id,
        journals.status,
        journals.erp_document_id
    from lines
    inner join journals
        on lines.journal_key = journals.journal_key

)

select * from final

-- Grain: journal line. Exactly one of debit and credit is filled. Functional amounts equal the document's while both currencies are one;
-- they are empty for a journal in a foreign currency, which is not posted by this release.
with

lines as (

    select * from {{ ref('int_accounting__journal_lines') }}

),

journals as (

    select * from {{ ref('journals') }}

),

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}

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
        lines.account_code,
        lines.cost_centre,
        lines.department,
        lines.bank_code,
        lines.debit,
        lines.credit,
        lines.currency_code,
        case when lines.currency_code = marketplaces.functional_currency then lines.debit end as functional_debit,
        case when lines.currency_code = marketplaces.functional_currency then lines.credit end as functional_credit,
        lines.tax_code,
        lines.tax_line_of,
        lines.narrative,
        lines.source_id,
        journals.status,
        journals.erp_document_id
    from lines
    inner join journals
        on lines.journal_key = journals.journal_key
    inner join marketplaces
        on lines.marketplace_code = marketplaces.marketplace_code

)

select * from final

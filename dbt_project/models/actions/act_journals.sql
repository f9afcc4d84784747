-- Grain: one journal to post now: due, and not waiting for one that it takes back.
with

dues as (

    select * from {{ ref('int_matching__due_journals') }}
    where absent_kind is null

),

journals as (

    select * from {{ ref('int_accounting__journals') }}

),

lines as (

    select * from {{ ref('int_accounting__journal_lines') }}

),

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}

),

erps as (

    select * from {{ ref('stg_tieout__erps') }}

),

bank_accounts as (

    select * from {{ ref('stg_tieout__bank_accounts') }}

),

due as (

    select
        journals.*,
        dues.books_date,
        dues.prior_period,
        erps.vendor,
        bank_accounts.erp_bank_code as bank_code
    from dues
    inner join journals
        on dues.journal_key = journals.journal_key
    inner join marketplaces
        on journals.marketplace_code = marketplaces.marketplace_code
    inner join erps
        on journals.erp_code = erps.erp_code
    left join bank_accounts
        on marketplaces.bank_account_code = bank_accounts.bank_account_code

),

line_texts as (

    select
        lines.journal_key,
        {{ json_array_agg(
            json_object([
                ('line_no', 'lines.line_no'),
                ('account_role', 'lines.account_role'),
                ('account_type', 'lines.account_type'),
                ('shop_id', 'lines.shop_id'),
                ('account_code', 'lines.account_code'),
                ('cost_centre', 'lines.cost_centre'),
                ('department', 'lines.department'),
                ('bank_code', 'lines.bank_code'),
                ('debit', 'cast(lines.debit as varchar)'),
                ('credit', 'cast(lines.credit as varchar)'),
                ('functional_debit', 'cast(lines.functional_debit as varchar)'),
                ('functional_credit', 'cast(lines.functional_credit as varchar)'),
                ('tax_code', 'lines.tax_code'),
                ('tax_line_of', 'lines.tax_line_of'),
                ('narrative', 'lines.narrative'),
            ]),
            'lines.line_no'
        ) }} as lines_json
    from lines
    group by lines.journal_key

),

payloads as (

    select
        due.*,
        {{ json_object([
            ('journal_key', 'due.journal_key'),
            ('wire_key', 'due.wire_key'),
            ('kind', 'due.kind'),
            ('document_id', 'due.document_id'),
            ('version', 'due.version'),
            ('journal_date', 'cast(due.posting_date as varchar)'),
            ('posting_date', 'cast(due.books_date as varchar)'),
            ('currency_code', 'due.currency_code'),
            ('functional_currency_code', 'due.functional_currency_code'),
            ('exchange_rate', 'cast(due.exchange_rate as varchar)'),
            ('rate_date', 'cast(due.rate_date as varchar)'),
            ('rate_source', 'due.rate_source'),
            ('narrative', "coalesce('PRIOR PERIOD ' || due.prior_period || ' ', '') || due.journal_key"),
            ('customer_reference', 'due.customer_reference'),
            ('clearing_bank_code', 'due.clearing_bank_code'),
            ('bank_code', 'due.bank_code'),
            ('lines', json_raw('line_texts.lines_json')),
        ]) }} as payload
    from due
    inner join line_texts
        on due.journal_key = line_texts.journal_key

),

final as (

    select
        'JOURNAL|' || payloads.marketplace_code || '|' || payloads.journal_key || '|'
        || cast(payloads.version as varchar) as action_key,
        'JOURNAL' as kind,
        payloads.vendor,
        payloads.erp_code as account,
        payloads.marketplace_code,
        payloads.entity_code,
        payloads.journal_key as natural_id,
        payloads.version,
        payloads.wire_key,
        -- A revaluation moves nothing but the books' own currency.
        case when payloads.total_debit = 0 then payloads.functional_total_debit else payloads.total_debit end as amount,
        case
            when payloads.total_debit = 0 then payloads.functional_currency_code else payloads.currency_code
        end as currency_code,
        payloads.payload,
        case
            when payloads.prior_period is not null
                then
                    'Belongs to ' || payloads.prior_period || ', which is locked: dated '
                    || cast(payloads.books_date as varchar) || ' as an item of a prior period. '
            else ''
        end
        || case payloads.kind
            when 'SETTLEMENT'
                then 'Cycle of ' || cast(payloads.posting_date as varchar) || ' is settled and not yet in the ledger.'
            when 'REVERSE_CHARGE'
                then
                    'VAT on the fees of a supplier abroad in the cycle of ' || cast(payloads.posting_date as varchar)
                    || ' is ours to declare, and is not yet in the ledger.'
            when 'WRITE_OFF'
                then
                    'Exception ' || payloads.document_id || ' was written off on '
                    || cast(payloads.posting_date as varchar) || ', and its amount still stands on its account.'
            when 'FX_REVALUATION'
                then
                    'Foreign balances are not yet brought to the closing rate of '
                    || cast(payloads.posting_date as varchar) || '.'
            when 'FX_REVALUATION_REVERSAL'
                then
                    'The revaluation of ' || payloads.document_id || ' is to be taken back on '
                    || cast(payloads.posting_date as varchar) || '.'
            when 'PAYOUT_RECEIPT'
                then
                    'A pay-out was received on ' || cast(payloads.posting_date as varchar)
                    || ' and is not yet in the ledger.'
            else
                'The ' || lower(replace(payloads.kind, '_', ' ')) || ' of ' || cast(payloads.posting_date as varchar)
                || ' is not yet in the ledger.'
        end as reason,
        {{ sha256_hex('payloads.payload') }} as source_hash
    from payloads

)

select * from final

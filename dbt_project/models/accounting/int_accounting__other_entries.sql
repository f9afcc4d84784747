-- Grain: journal of a decision or a rule × account role × side, where no settlement line and no receipt is behind it. REVERSE_CHARGE: the
-- VAT that we account for ourselves on a cycle's fees of suppliers from abroad, as input and as output tax; not while such a supplier
-- has charged VAT of its own, which has to be corrected first. WRITE_OFF: an amount that people gave up, taken off the account on which
-- it stands. All in the books' own currency. net_debit = debit - credit.
with

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}
    where has_books

),

charged as (

    select * from {{ ref('int_accounting__reverse_charges') }}
    where has_books and tax_amount = 0 and due_amount <> 0

),

written_off as (

    select * from {{ ref('int_accounting__write_offs') }}

),

entries as (

    {% for role, sign in [('RC_INPUT_VAT', ''), ('RC_OUTPUT_VAT', '-')] -%}
    select
        charged.marketplace_code,
        'REVERSE_CHARGE' as kind,
        charged.billing_cycle_id as document_id,
        charged.cycle_date as posting_date,
        '{{ role }}' as account_role,
        charged.tax_code,
        {{ sign }}charged.due_amount as net_debit,
        40 as line_group,
        charged.exchange_rate,
        charged.rate_source,
        charged.rate_date,
        charged.bad_rate_id
    from charged
    union all
    {% endfor -%}
    {% for role, sign, group in [('account_role', '', 10), ('written_to_role', '-', 40)] -%}
    select
        written_off.marketplace_code,
        'WRITE_OFF' as kind,
        written_off.write_off_id as document_id,
        written_off.posting_date,
        written_off.{{ role }}{{ ' as account_role' if role != 'account_role' }},
        cast(null as varchar) as tax_code,
        {{ sign }}written_off.net_debit{{ ' as net_debit' if sign }},
        {{ group }} as line_group,
        cast(null as decimal(18, 8)) as exchange_rate,
        cast(null as varchar) as rate_source,
        cast(null as date) as rate_date,
        cast(null as varchar) as bad_rate_id
    from written_off
    {{ 'union all' if not loop.last }}
    {% endfor -%}

),

final as (

    select
        marketplaces.entity_code,
        entries.marketplace_code,
        entries.kind,
        entries.document_id,
        entries.posting_date,
        marketplaces.functional_currency as currency_code,
        entries.account_role,
        cast(null as varchar) as tax_base_role,
        entries.tax_code,
        -- What leaves the customer account takes the document of its direction.
        case
            when entries.account_role = 'AR_MARKETPLACE' and entries.net_debit < 0 then 'SALES'
            when entries.account_role = 'AR_MARKETPLACE' then 'REFUNDS'
            else 'NET'
        end as side,
        cast(entries.net_debit as decimal(18, 2)) as net_debit,
        entries.line_group,
        cast(entries.net_debit as decimal(18, 2)) as functional_net_debit,
        entries.exchange_rate,
        entries.rate_source,
        entries.rate_date,
        entries.bad_rate_id
    from entries
    inner join marketplaces
        on entries.marketplace_code = marketplaces.marketplace_code

)

select * from final

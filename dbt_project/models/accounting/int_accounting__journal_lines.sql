-- Grain: one line of a canonical journal, numbered, with its account in the books of the entity at the posting date. A role that no
-- account is mapped to keeps an empty account and blocks the journal (JNL-012); it never falls through to suspense. Functional amounts
-- are the document's own while both currencies are one; else they come with the rate, its source and day (int_accounting__foreign_entries).
-- What was sent to the ERP in the currency of the books stays as it was sent. Where a settlement or a receipt should be another one today,
-- a CORRECTION takes the newest version back and the next version follows; what a month's end has accrued stays: its reversal takes it
-- back.
{{ config(schema='accounting', materialized='table') }}

with

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}

),

domestic_entries as (

    select * from {{ ref('int_accounting__settlement_entries') }}
    union all
    select * from {{ ref('int_accounting__receipt_entries') }}
    union all
    select * from {{ ref('int_accounting__month_end_entries') }}

),

posted as (

    select
        posted.*,
        posted.entity_code || '|' || posted.marketplace_code || '|' || posted.kind || '|' || posted.document_id || '|'
        || {{ period_of('posted.posting_date') }} as base_key
    from {{ ref('int_accounting__posted_lines') }} as posted
    inner join marketplaces
        on
            posted.marketplace_code = marketplaces.marketplace_code
            -- Foreign journals are translated anew with the rates of their day.
            and not coalesce(posted.currency_code <> marketplaces.functional_currency, false)
    where posted.document_id is not null and posted.version is not null

),

entries as (

    select
        domestic_entries.*,
        cast(null as varchar) as shop_id,
        case
            when domestic_entries.currency_code = marketplaces.functional_currency then domestic_entries.net_debit
        end as functional_net_debit,
        cast(null as decimal(18, 8)) as exchange_rate,
        cast(null as varchar) as rate_source,
        cast(null as date) as rate_date,
        cast(null as varchar) as bad_rate_id
    from domestic_entries
    inner join marketplaces
        on
            domestic_entries.marketplace_code = marketplaces.marketplace_code
            and not coalesce(marketplaces.currency_code <> marketplaces.functional_currency, false)
    union all
    select
        foreign_entries.entity_code,
        foreign_entries.marketplace_code,
        foreign_entries.kind,
        foreign_entries.document_id,
        foreign_entries.posting_date,
        foreign_entries.currency_code,
        foreign_entries.account_role,
        foreign_entries.tax_base_role,
        cast(null as varchar) as tax_code,
        foreign_entries.side,
        foreign_entries.net_debit,
        foreign_entries.line_group,
        cast(null as varchar) as shop_id,
        foreign_entries.functional_net_debit,
        foreign_entries.exchange_rate,
        foreign_entries.rate_source,
        foreign_entries.rate_date,
        foreign_entries.bad_rate_id
    from {{ ref('int_accounting__foreign_entries') }} as foreign_entries
    union all
    select
        other_entries.entity_code,
        other_entries.marketplace_code,
        other_entries.kind,
        other_entries.document_id,
        other_entries.posting_date,
        other_entries.currency_code,
        other_entries.account_role,
        other_entries.tax_base_role,
        other_entries.tax_code,
        other_entries.side,
        other_entries.net_debit,
        other_entries.line_group,
        cast(null as varchar) as shop_id,
        other_entries.functional_net_debit,
        other_entries.exchange_rate,
        other_entries.rate_source,
        other_entries.rate_date,
        other_entries.bad_rate_id
    from {{ ref('int_accounting__other_entries') }} as other_entries
    union all
    select
        revaluation_entries.entity_code,
        revaluation_entries.marketplace_code,
        revaluation_entries.kind,
        revaluation_entries.document_id,
        revaluation_entries.posting_date,
        revaluation_entries.currency_code,
        revaluation_entries.account_role,
        revaluation_entries.tax_base_role,
        cast(null as varchar) as tax_code,
        revaluation_entries.side,
        revaluation_entries.net_debit,
        revaluation_entries.line_group,
        cast(null as varchar) as shop_id,
        revaluation_entries.functional_net_debit,
        revaluation_entries.exchange_rate,
        revaluation_entries.rate_source,
        revaluation_entries.rate_date,
        revaluation_entries.bad_rate_id
    from {{ ref('int_accounting__revaluation_entries') }} as revaluation_entries
    union all
    select
        operator_entries.entity_code,
        operator_entries.marketplace_code,
        operator_entries.kind,
        operator_entries.document_id,
        operator_entries.posting_date,
        operator_entries.currency_code,
        operator_entries.account_role,
        operator_entries.tax_base_role,
        cast(null as varchar) as tax_code,
        'NET' as side,
        operator_entries.net_debit,
        case when operator_entries.shop_id is null then 40 else 10 end as line_group,
        operator_entries.shop_id,
        operator_entries.net_debit as functional_net_debit,
        cast(null as decimal(18, 8)) as exchange_rate,
        cast(null as varchar) as rate_source,
        cast(null as date) as rate_date,
        cast(null as varchar) as bad_rate_id
    from {{ ref('int_accounting__operator_entries') }} as operator_entries
    where operator_entries.is_due

),

accounts as (

    select * from {{ ref('stg_tieout__accounts') }}

),

account_roles as (

    select * from {{ ref('stg_tieout__account_roles') }}

),

tax_codes as (

    select * from {{ ref('stg_tieout__tax_codes') }}

),

cash_book_receipts as (

    select
        receipts.receipt_id,
        receipts.journal_reference
    from {{ ref('int_ledger__receipts') }} as receipts
    where receipts.receipt_source = 'ERP'

),

bank_accounts as (

    select * from {{ ref('stg_tieout__bank_accounts') }}

),

wanted as (

    select
        entries.*,
        entries.entity_code || '|' || entries.marketplace_code || '|' || entries.kind || '|'
        || entries.document_id || '|' || {{ period_of('entries.posting_date') }} as base_key
    from entries

),

newest as (

    select
        posted.base_key,
        max(posted.version) as version
    from posted
    group by posted.base_key

),

frozen_cycles as (

    -- Nothing is replaced while the cycle itself is in doubt.
    select
        cycles.marketplace_code,
        cycles.billing_cycle_id
    from {{ ref('int_matching__cycles') }} as cycles
    where
        cycles.unmapped_line_count > 0
        or cycles.changed_line_count > 0
        or cycles.currency_count > 1
        or cycles.identity_code is not null

),

sides as (

    select
        wanted.base_key,
        wanted.account_role,
        wanted.shop_id,
        wanted.net_debit
    from wanted
    inner join newest
        on wanted.base_key = newest.base_key
    left join frozen_cycles
        on
            wanted.marketplace_code = frozen_cycles.marketplace_code
            and wanted.document_id = frozen_cycles.billing_cycle_id
    where wanted.kind in ({{ replaceable_kinds() }}) and frozen_cycles.billing_cycle_id is null
    union all
    select
        posted.base_key,
        posted.account_role,
        posted.shop_id,
        posted.credit - posted.debit as net_debit
    from posted
    inner join newest
        on
            posted.base_key = newest.base_key
            and posted.version = newest.version

),

replaced as (

    select
        changed.base_key,
        newest.version
    from (
        select distinct sums.base_key
        from (
            select
                sides.base_key,
                sides.account_role,
                sides.shop_id
            from sides
            group by sides.base_key, sides.account_role, sides.shop_id
            having sum(sides.net_debit) <> 0
        ) as sums
    ) as changed
    inner join newest
        on changed.base_key = newest.base_key
    -- What is wanted no more, or not compared, is left to a person.
    inner join (
        select distinct wanted.base_key
        from wanted
        left join frozen_cycles
            on
                wanted.marketplace_code = frozen_cycles.marketplace_code
                and wanted.document_id = frozen_cycles.billing_cycle_id
        where
            wanted.kind in ({{ replaceable_kinds() }})
            and frozen_cycles.billing_cycle_id is null
    ) as comparable
        on changed.base_key = comparable.base_key
    union all
    -- A write-off that was withdrawn, or whose amount has come after all, is taken back; nothing follows it.
    select distinct
        posted.base_key,
        newest.version
    from posted
    inner join newest
        on posted.base_key = newest.base_key
    left join wanted
        on posted.base_key = wanted.base_key
    where posted.kind = 'WRITE_OFF' and wanted.base_key is null

),

keyed as (

    select
        wanted.*,
        coalesce(replaced.version, 0) + 1 as version,
        wanted.base_key || '|' || cast(coalesce(replaced.version, 0) + 1 as varchar) as journal_key
    from wanted
    left join newest
        on wanted.base_key = newest.base_key
    left join replaced
        on wanted.base_key = replaced.base_key
    where newest.base_key is null or replaced.base_key is not null

),

corrections as (

    select
        posted.*,
        posted.entity_code || '|' || posted.marketplace_code || '|CORRECTION|' || posted.kind || ' '
        || posted.document_id || '|' || {{ period_of('posted.posting_date') }} || '|' || cast(posted.version as varchar)
            as correction_key
    from posted
    inner join replaced
        on
            posted.base_key = replaced.base_key
            and posted.version = replaced.version

),

sent_keys as (

    select distinct posted.journal_key
    from posted

),

numbered as (

    select
        keyed.*,
        row_number() over (
            partition by keyed.journal_key
            order by
                keyed.line_group,
                coalesce(keyed.tax_base_role, keyed.account_role),
                coalesce(keyed.tax_code, ''),
                case when keyed.tax_base_role is null then 0 else 1 end,
                keyed.account_role,
                keyed.side,
                keyed.shop_id
        ) as line_no
    from keyed

),

account_choices as (

    -- The marketplace's own account before the one for all, the newest that was in force on the posting date.
    select
        numbered.journal_key,
        numbered.line_no,
        accounts.account_code,
        accounts.cost_centre,
        accounts.department,
        row_number() over (
            partition by numbered.journal_key, numbered.line_no
            order by
                case when accounts.marketplace_code = '*' then 1 else 0 end,
                case when accounts.currency_code = '*' then 1 else 0 end,
                accounts.effective_from desc,
                accounts.account_code asc
        ) as choice_number
    from numbered
    inner join accounts
        on
            numbered.entity_code = accounts.entity_code
            and numbered.account_role = accounts.account_role
            and (numbered.marketplace_code = accounts.marketplace_code or accounts.marketplace_code = '*')
            and (numbered.currency_code = accounts.currency_code or accounts.currency_code = '*')
            and numbered.posting_date >= accounts.effective_from

),

tax_code_choices as (

    select
        numbered.journal_key,
        numbered.line_no,
        tax_codes.erp_tax_code,
        row_number() over (
            partition by numbered.journal_key, numbered.line_no
            order by tax_codes.effective_from desc, tax_codes.erp_tax_code asc
        ) as choice_number
    from numbered
    inner join tax_codes
        on
            numbered.entity_code = tax_codes.entity_code
            and tax_codes.tax_role
            = case numbered.account_role when 'OUTPUT_VAT' then 'STD_SALE' else 'STD_PURCH' end
            and numbered.posting_date >= tax_codes.effective_from
    where numbered.tax_base_role is not null and numbered.tax_code is null

),

first_nominal_lines as (

    -- A VAT whose fee nets to nil has no line to belong to; it travels with the first nominal line of its journal.
    select
        numbered.journal_key,
        min(numbered.line_no) as line_no
    from numbered
    inner join account_roles
        on numbered.account_role = account_roles.account_role
    where account_roles.account_type = 'NOMINAL'
    group by numbered.journal_key

),

computed as (

    select
        numbered.journal_key,
        -- What stands in the cash book is known by its own key; everything else gets one of ours.
        coalesce(cash_book_receipts.journal_reference, {{ wire_key('numbered.journal_key') }}) as wire_key,
        numbered.entity_code,
        numbered.marketplace_code,
        numbered.kind,
        numbered.document_id,
        numbered.version,
        numbered.posting_date,
        {{ period_of('numbered.posting_date') }} as period,
        numbered.currency_code,
        cast(numbered.line_no as integer) as line_no,
        numbered.account_role,
        account_roles.account_type,
        numbered.shop_id,
        account_choices.account_code,
        coalesce(account_choices.cost_centre, '') as cost_centre,
        coalesce(account_choices.department, '') as department,
        case
            when numbered.account_role = 'MARKETPLACE_CLEARING' then marketplaces.clearing_bank_code
            when numbered.account_role = 'BANK' then bank_accounts.erp_bank_code
        end as bank_code,
        cast(greatest(numbered.net_debit, 0) as decimal(18, 2)) as debit,
        cast(greatest(-numbered.net_debit, 0) as decimal(18, 2)) as credit,
        marketplaces.functional_currency as functional_currency_code,
        cast(case
            when numbered.functional_net_debit >= 0 then numbered.functional_net_debit
            when numbered.functional_net_debit < 0 then 0
        end as decimal(18, 2)) as functional_debit,
        cast(case
            when numbered.functional_net_debit < 0 then -numbered.functional_net_debit
            when numbered.functional_net_debit >= 0 then 0
        end as decimal(18, 2)) as functional_credit,
        numbered.exchange_rate,
        numbered.rate_source,
        numbered.rate_date,
        numbered.bad_rate_id,
        coalesce(numbered.tax_code, tax_code_choices.erp_tax_code) as tax_code,
        case
            when numbered.tax_base_role is not null
                then cast(coalesce(base_lines.line_no, first_nominal_lines.line_no) as integer)
        end as tax_line_of,
        case
            when numbered.kind = 'SETTLEMENT' and numbered.account_role = 'MARKETPLACE_CLEARING'
                then numbered.marketplace_code || ' settlement ' || cast(numbered.posting_date as varchar)
            when numbered.kind = 'WRITE_OFF' then numbered.marketplace_code || ' written off ' || numbered.document_id
            when numbered.kind = 'REVERSE_CHARGE'
                then numbered.marketplace_code || ' reverse charge ' || cast(numbered.posting_date as varchar)
            when numbered.shop_id is not null
                then
                    numbered.marketplace_code || ' ' || lower(replace(numbered.kind, '_', ' ')) || ' '
                    || numbered.shop_id
            when numbered.side = 'SALES' then numbered.marketplace_code || ' sales settled'
            when numbered.side = 'REFUNDS' then numbered.marketplace_code || ' refunds settled'
            when numbered.side = 'EXCESS'
                then numbered.marketplace_code || ' over-paid, held open ' || numbered.document_id
            when numbered.kind = 'PAYOUT_RECEIPT' and numbered.account_role = 'BANK_CHARGES'
                then numbered.marketplace_code || ' bank fee on pay-out'
            when numbered.account_role in ('FX_REALISED', 'FX_UNREALISED')
                then numbered.marketplace_code || ' exchange difference'
            when numbered.kind = 'PAYOUT_RECEIPT' then numbered.marketplace_code || ' pay-out received'
            when numbered.tax_base_role is not null
                then numbered.marketplace_code || ' VAT on ' || lower(replace(numbered.tax_base_role, '_', ' '))
            else numbered.marketplace_code || ' ' || lower(replace(numbered.account_role, '_', ' '))
        end as narrative,
        numbered.document_id as source_id
    from numbered
    inner join marketplaces
        on numbered.marketplace_code = marketplaces.marketplace_code
    left join account_roles
        on numbered.account_role = account_roles.account_role
    left join account_choices
        on
            numbered.journal_key = account_choices.journal_key
            and numbered.line_no = account_choices.line_no
            and account_choices.choice_number = 1
    left join tax_code_choices
        on
            numbered.journal_key = tax_code_choices.journal_key
            and numbered.line_no = tax_code_choices.line_no
            and tax_code_choices.choice_number = 1
    left join numbered as base_lines
        on
            numbered.journal_key = base_lines.journal_key
            and numbered.tax_base_role = base_lines.account_role
            and coalesce(numbered.tax_code, '') = coalesce(base_lines.tax_code, '')
            and base_lines.tax_base_role is null
    left join first_nominal_lines
        on numbered.journal_key = first_nominal_lines.journal_key
    left join cash_book_receipts
        on numbered.document_id = cash_book_receipts.receipt_id
    left join bank_accounts
        on marketplaces.bank_account_code = bank_accounts.bank_account_code

),

final as (

    select * from computed
    union all
    select
        posted.journal_key,
        posted.wire_key,
        posted.entity_code,
        posted.marketplace_code,
        posted.kind,
        posted.document_id,
        posted.version,
        posted.posting_date,
        {{ period_of('posted.posting_date') }} as period,
        posted.currency_code,
        posted.line_no,
        posted.account_role,
        posted.account_type,
        posted.shop_id,
        posted.account_code,
        posted.cost_centre,
        posted.department,
        posted.bank_code,
        posted.debit,
        posted.credit,
        posted.currency_code as functional_currency_code,
        posted.debit as functional_debit,
        posted.credit as functional_credit,
        cast(null as decimal(18, 8)) as exchange_rate,
        cast(null as varchar) as rate_source,
        cast(null as date) as rate_date,
        cast(null as varchar) as bad_rate_id,
        posted.tax_code,
        posted.tax_line_of,
        posted.narrative,
        case posted.kind when 'CORRECTION' then split_part(posted.document_id, ' ', 2) else posted.document_id end
            as source_id
    from posted
    union all
    select
        corrections.correction_key as journal_key,
        {{ wire_key('corrections.correction_key') }} as wire_key,
        corrections.entity_code,
        corrections.marketplace_code,
        'CORRECTION' as kind,
        corrections.kind || ' ' || corrections.document_id as document_id,
        corrections.version,
        corrections.posting_date,
        {{ period_of('corrections.posting_date') }} as period,
        corrections.currency_code,
        corrections.line_no,
        corrections.account_role,
        corrections.account_type,
        corrections.shop_id,
        corrections.account_code,
        corrections.cost_centre,
        corrections.department,
        corrections.bank_code,
        corrections.credit as debit,
        corrections.debit as credit,
        corrections.currency_code as functional_currency_code,
        corrections.credit as functional_debit,
        corrections.debit as functional_credit,
        cast(null as decimal(18, 8)) as exchange_rate,
        cast(null as varchar) as rate_source,
        cast(null as date) as rate_date,
        cast(null as varchar) as bad_rate_id,
        corrections.tax_code,
        corrections.tax_line_of,
        corrections.narrative,
        corrections.document_id as source_id
    from corrections
    left join sent_keys
        on corrections.correction_key = sent_keys.journal_key
    where sent_keys.journal_key is null

)

select * from final

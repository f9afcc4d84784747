-- Grain: one canonical journal: what must stand in the ERP, or why it may not be posted yet. Only an unmapped type, a failed
-- identity, mixed currencies, a role without an account or a rate that is not there or not good stop a cycle; open questions about
-- single orders never do.
{{ config(schema='accounting', materialized='table') }}

with

lines as (

    select * from {{ ref('int_accounting__journal_lines') }}

),

cycles as (

    select * from {{ ref('int_matching__cycles') }}

),

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}

),

headers as (

    select
        lines.journal_key,
        lines.wire_key,
        lines.entity_code,
        lines.marketplace_code,
        lines.kind,
        lines.document_id,
        lines.version,
        lines.posting_date,
        lines.period,
        lines.currency_code,
        count(*) as line_count,
        cast(sum(lines.debit) as decimal(18, 2)) as total_debit,
        cast(sum(lines.credit) as decimal(18, 2)) as total_credit,
        lines.functional_currency_code,
        cast(sum(lines.functional_debit) as decimal(18, 2)) as functional_total_debit,
        cast(sum(lines.functional_debit - lines.functional_credit) as decimal(18, 2)) as functional_difference,
        sum(case when lines.functional_debit is null then 1 else 0 end) as untranslated_count,
        min(lines.exchange_rate) as exchange_rate,
        min(lines.rate_source) as rate_source,
        min(lines.rate_date) as rate_date,
        min(lines.bad_rate_id) as bad_rate_id,
        min(case when lines.account_code is null and lines.account_role <> 'UNMAPPED' then lines.account_role end)
            as role_without_account
    from lines
    group by
        lines.journal_key,
        lines.wire_key,
        lines.entity_code,
        lines.marketplace_code,
        lines.kind,
        lines.document_id,
        lines.version,
        lines.posting_date,
        lines.period,
        lines.currency_code,
        lines.functional_currency_code

),

judged as (

    select
        headers.*,
        marketplaces.erp_code,
        marketplaces.customer_reference,
        marketplaces.clearing_bank_code,
        row_number() over (
            partition by headers.marketplace_code, headers.kind, headers.document_id
            order by headers.posting_date desc, headers.version desc
        ) as part_number,
        headers.posting_date < marketplaces.journals_live_from
        -- An operator may watch its sellers without an ERP to keep books in.
        or (marketplaces.perspective = 'OPERATOR' and marketplaces.erp_code is null) as is_excluded,
        case
            when cycles.unmapped_line_count > 0 then 'SET-009'
            when cycles.changed_line_count > 0 then 'SET-014'
            when cycles.currency_count > 1 then 'PAY-008'
            when cycles.identity_code is not null then cycles.identity_code
            when headers.role_without_account is not null then 'JNL-012'
            when
                headers.bad_rate_id is not null
                or (headers.currency_code <> headers.functional_currency_code and headers.untranslated_count > 0)
                then 'FX-001'
            when headers.total_debit <> headers.total_credit or headers.functional_difference <> 0 then 'JNL-006'
        end as blocked_code,
        cycles.first_unmapped_type,
        cycles.first_changed_line_id,
        cycles.unassigned_line_id
    from headers
    inner join marketplaces
        on headers.marketplace_code = marketplaces.marketplace_code
    left join cycles
        on
            headers.kind in (
                'SETTLEMENT', 'REVERSE_CHARGE', 'UNBILLED_REVERSAL', 'VAT_RELEASE', 'SELLER_PAYOUT', 'SELLER_FEE'
            )
            and headers.marketplace_code = cycles.marketplace_code
            and headers.document_id = cycles.billing_cycle_id

),

final as (

    select
        judged.journal_key,
        judged.wire_key,
        judged.entity_code,
        judged.marketplace_code,
        judged.erp_code,
        judged.kind,
        judged.document_id,
        -- Named by one journal only: the last part of a cycle that a month's end splits, the newest version.
        case when judged.kind = 'SETTLEMENT' and judged.part_number = 1 then judged.document_id end as billing_cycle_id,
        case when judged.kind = 'PAYOUT_RECEIPT' and judged.part_number = 1 then judged.document_id end as receipt_id,
        cast(judged.version as integer) as version,
        judged.posting_date,
        judged.period,
        judged.currency_code,
        judged.customer_reference,
        judged.clearing_bank_code,
        judged.total_debit,
        judged.total_credit,
        judged.functional_currency_code,
        judged.functional_total_debit,
        judged.exchange_rate,
        judged.rate_source,
        judged.rate_date,
        cast(judged.line_count as integer) as line_count,
        judged.role_without_account,
        judged.is_excluded,
        judged.blocked_code is not null as is_blocked,
        judged.blocked_code,
        case judged.blocked_code
            when 'SET-009' then 'A transaction type of this cycle has no mapping: add its row to transaction_types.csv.'
            when 'PAY-008' then 'The cycle mixes currencies.'
            when 'JNL-012'
                then 'No account is mapped to ' || judged.role_without_account || ': add its row to accounts.csv.'
            when 'JNL-006' then 'Debits and credits differ.'
            when 'FX-001'
                then
                    'The rate of ' || judged.currency_code || ' for ' || cast(judged.posting_date as varchar)
                    || ' is missing, too old or implausible: load one into exchange_rates.csv or the ERP.'
            when 'SET-014' then 'A field of one of its lines changed that never may.'
            when 'PAY-002' then 'Paid lines that name no cycle belong to this one.'
            when 'PAY-009' then 'Lines of this cycle were never delivered.'
            when 'PAY-003' then 'The opening balance is not the closing balance of the cycle before.'
            when 'PAY-001' then 'The pay-out is not the opening balance plus the lines.'
        end as blocked_reason,
        case
            when judged.blocked_code = 'SET-009' then 'TRANSACTION_TYPE'
            when judged.blocked_code in ('SET-014', 'PAY-002') then 'TRANSACTION_LINE'
            when judged.blocked_code = 'FX-001' and judged.bad_rate_id is not null then 'EXCHANGE_RATE'
            when judged.blocked_code like 'PAY-%' then 'CYCLE'
        end as blocked_subject_type,
        case
            when judged.blocked_code = 'SET-009' then judged.first_unmapped_type
            when judged.blocked_code = 'SET-014' then judged.first_changed_line_id
            when judged.blocked_code = 'PAY-002' then judged.unassigned_line_id
            when judged.blocked_code = 'FX-001' then judged.bad_rate_id
            when judged.blocked_code like 'PAY-%' then judged.document_id
        end as blocked_subject_id
    from judged

)

select * from final

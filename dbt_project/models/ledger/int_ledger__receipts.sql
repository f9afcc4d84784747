-- One row per entry of a bank account; amount > 0 is money in. bank_accounts.csv says where an account's entries come from
-- (receipt_source): from its statements, or from the cash book that the entity's ERP keeps of it, never from both. receipt_id = bank
-- account code and the entry's reference; an entry of a cash book has ERP before its number there.
-- erp_code, erp_urn: where such an entry stands; its journal is in the books already, under the key journal_reference.
-- is_from_payer: the payer's name holds an approved fingerprint of marketplace_code. When several marketplaces share the
-- name, the one whose pay-outs go to this account wins, then one of the account's own entity, then the first code. A cash
-- book names the payer in its text.

with bank_accounts as (
    select * from {{ ref('stg_tieout__bank_accounts') }}
),

payers as (
    select * from {{ ref('stg_tieout__bank_payers') }}
),

marketplaces as (
    select * from {{ ref('int_ledger__marketplaces') }}
),

entries as (
    select
        entries.bank_account_code,
        'STATEMENT' as receipt_source,
        cast(null as varchar) as erp_code,
        cast(null as varchar) as erp_urn,
        entries.entry_reference,
        entries.statement_id,
        coalesce(entries.value_date, entries.booking_date) as value_date,
        entries.booking_date,
        {{ money('entries.amount') }} as amount,
        entries.currency_code,
        {{ money('entries.original_amount') }} as original_amount,
        entries.original_currency_code,
        entries.counterparty_name,
        entries.counterparty_account_hash,
        entries.remittance_information,
        entries.end_to_end_id,
        entries.transaction_code,
        entries.is_reversal,
        entries.is_reference_reused,
        entries.counterparty_name as payer_text
    from {{ ref('stg_bank__statement_entries') }} as entries
    inner join bank_accounts
        on
            entries.bank_account_code = bank_accounts.bank_account_code
            and bank_accounts.receipt_source = 'STATEMENT'
    union all
    select
        bank_accounts.bank_account_code,
        'ERP' as receipt_source,
        transactions.erp_code,
        transactions.urn as erp_urn,
        'ERP' || transactions.posted_transaction_id as entry_reference,
        cast(null as varchar) as statement_id,
        transactions.transaction_date as value_date,
        transactions.transaction_date as booking_date,
        transactions.amount,
        coalesce(transactions.currency_code, bank_accounts.currency_code) as currency_code,
        cast(null as decimal(18, 2)) as original_amount,
        cast(null as varchar) as original_currency_code,
        transactions.counterparty_name,
        cast(null as varchar) as counterparty_account_hash,
        trim(
            coalesce(transactions.reference, '') || ' ' || coalesce(transactions.second_reference, '') || ' '
            || coalesce(transactions.narrative, '')
        ) as remittance_information,
        cast(null as varchar) as end_to_end_id,
        cast(null as varchar) as transaction_code,
        false as is_reversal,
        false as is_reference_reused,
        coalesce(transactions.counterparty_name, '') || ' ' || coalesce(transactions.reference, '') || ' '
        || coalesce(transactions.narrative, '') as payer_text
    from {{ ref('int_ledger__erp_bank_transactions') }} as transactions
    inner join bank_accounts
        on
            transactions.entity_code = bank_accounts.entity_code
            and transactions.bank_code = bank_accounts.erp_bank_code
            and bank_accounts.receipt_source = 'ERP'
            and bank_accounts.is_enabled
),

candidates as (
    select
        entries.bank_account_code,
        entries.entry_reference,
        payers.marketplace_code,
        row_number() over (
            partition by entries.bank_account_code, entries.entry_reference
            order by
                case when marketplaces.bank_account_code = entries.bank_account_code then 0 else 1 end,
                case when marketplaces.entity_code = bank_accounts.entity_code then 0 else 1 end,
                payers.marketplace_code,
                payers.payer_name_contains
        ) as candidate_rank
    from entries
    inner join payers
        on
            upper(coalesce(entries.payer_text, '')) like '%' || payers.payer_name_contains || '%'
            and entries.value_date >= payers.effective_from
    inner join marketplaces
        on payers.marketplace_code = marketplaces.marketplace_code
    inner join bank_accounts
        on entries.bank_account_code = bank_accounts.bank_account_code
),

final as (
    select
        entries.bank_account_code || '-' || entries.entry_reference as receipt_id,
        entries.bank_account_code,
        bank_accounts.entity_code,
        bank_accounts.erp_bank_code,
        entries.receipt_source,
        entries.erp_code,
        entries.erp_urn,
        'ERP' || entries.erp_urn as journal_reference,
        entries.entry_reference,
        entries.statement_id,
        entries.value_date,
        entries.booking_date,
        entries.amount,
        entries.currency_code,
        entries.original_amount,
        entries.original_currency_code,
        entries.counterparty_name,
        entries.counterparty_account_hash,
        entries.remittance_information,
        entries.end_to_end_id,
        entries.transaction_code,
        entries.is_reversal,
        entries.is_reference_reused,
        candidates.marketplace_code is not null as is_from_payer,
        candidates.marketplace_code,
        coalesce(entries.value_date < marketplaces.go_live_date, false) as is_excluded
    from entries
    inner join bank_accounts
        on entries.bank_account_code = bank_accounts.bank_account_code
    left join candidates
        on
            entries.bank_account_code = candidates.bank_account_code
            and entries.entry_reference = candidates.entry_reference
            and candidates.candidate_rank = 1
    left join marketplaces
        on candidates.marketplace_code = marketplaces.marketplace_code
)

select * from final

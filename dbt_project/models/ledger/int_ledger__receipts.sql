-- One row per bank account and statement entry; amount > 0 is money in. receipt_id = bank account code and entry reference.
-- is_from_payer: the payer's name holds an approved fingerprint of marketplace_code. When several marketplaces share the
-- name, the one whose pay-outs go to this account wins, then the first code.

with entries as (
    select * from {{ ref('stg_bank__statement_entries') }}
),

bank_accounts as (
    select * from {{ ref('stg_tieout__bank_accounts') }}
),

payers as (
    select * from {{ ref('stg_tieout__bank_payers') }}
),

marketplaces as (
    select * from {{ ref('int_ledger__marketplaces') }}
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
                payers.marketplace_code,
                payers.payer_name_contains
        ) as candidate_rank
    from entries
    inner join payers
        on
            upper(coalesce(entries.counterparty_name, '')) like '%' || payers.payer_name_contains || '%'
            and coalesce(entries.value_date, entries.booking_date) >= payers.effective_from
    inner join marketplaces
        on payers.marketplace_code = marketplaces.marketplace_code
),

final as (
    select
        entries.bank_account_code || '-' || entries.entry_reference as receipt_id,
        entries.bank_account_code,
        bank_accounts.entity_code,
        bank_accounts.erp_bank_code,
        entries.entry_reference,
        entries.statement_id,
        coalesce(entries.value_date, entries.booking_date) as value_date,
        entries.booking_date,
        {{ money('entries.amount') }} as amount,
        entries.currency_code,
        entries.counterparty_name,
        entries.counterparty_account_hash,
        entries.remittance_information,
        entries.end_to_end_id,
        entries.transaction_code,
        entries.is_reversal,
        candidates.marketplace_code is not null as is_from_payer,
        candidates.marketplace_code,
        coalesce(coalesce(entries.value_date, entries.booking_date) < marketplaces.go_live_date, false) as is_excluded
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

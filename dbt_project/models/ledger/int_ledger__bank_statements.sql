-- One row per bank account and statement that states its balances. balance_before: what the statements before it leave at its start,
-- null when there is none before it. The statement is proved when it opens with that; opening_balance - balance_before is what the
-- missing entries add up to (money in positive). A statement delivered twice counts once; statements may overlap, come late and share
-- a day.

with bank_accounts as (
    select * from {{ ref('stg_tieout__bank_accounts') }}
    where is_enabled and receipt_source = 'STATEMENT'
),

statements as (
    select
        statements.bank_account_code,
        statements.currency_code,
        statements.from_date,
        statements.to_date,
        statements.opening_balance,
        statements.closing_balance,
        min(statements.statement_id) as statement_id
    from {{ ref('stg_bank__statements') }} as statements
    where
        statements.opening_balance is not null
        and statements.closing_balance is not null
        and statements.from_date is not null
        and statements.to_date is not null
    group by
        statements.bank_account_code,
        statements.currency_code,
        statements.from_date,
        statements.to_date,
        statements.opening_balance,
        statements.closing_balance
),

followers as (
    -- Of statements of the same days, those that open with what another one of them leaves.
    select distinct
        later.bank_account_code,
        later.currency_code,
        later.statement_id
    from statements as later
    inner join statements as earlier
        on
            later.bank_account_code = earlier.bank_account_code
            and later.currency_code = earlier.currency_code
            and later.from_date = earlier.from_date
            and later.to_date = earlier.to_date
            and later.opening_balance = earlier.closing_balance
            and later.statement_id <> earlier.statement_id
),

numbered as (
    select
        statements.*,
        row_number() over (
            partition by statements.bank_account_code, statements.currency_code
            order by
                statements.from_date,
                statements.to_date,
                case when followers.statement_id is null then 0 else 1 end,
                statements.statement_id
        ) as statement_number
    from statements
    left join followers
        on
            statements.bank_account_code = followers.bank_account_code
            and statements.currency_code = followers.currency_code
            and statements.statement_id = followers.statement_id
),

entries as (
    select
        entries.bank_account_code,
        entries.currency_code,
        entries.booking_date,
        sum(entries.amount) as amount
    from {{ ref('stg_bank__statement_entries') }} as entries
    group by entries.bank_account_code, entries.currency_code, entries.booking_date
),

last_ends as (
    select
        later.bank_account_code,
        later.currency_code,
        later.statement_number,
        max(earlier.to_date) as last_end
    from numbered as later
    inner join numbered as earlier
        on
            later.bank_account_code = earlier.bank_account_code
            and later.currency_code = earlier.currency_code
            and later.statement_number > earlier.statement_number
            and later.from_date >= earlier.to_date
    group by later.bank_account_code, later.currency_code, later.statement_number
),

ended as (
    -- The last statements that ended before this one, and those of the very same days, whose order nobody states.
    select
        later.bank_account_code,
        later.currency_code,
        later.statement_number,
        earlier.statement_number as earlier_number,
        earlier.statement_id as earlier_id,
        earlier.to_date as earlier_end,
        earlier.closing_balance as balance_left,
        1 as has_ended
    from numbered as later
    inner join numbered as earlier
        on
            later.bank_account_code = earlier.bank_account_code
            and later.currency_code = earlier.currency_code
            and later.statement_number <> earlier.statement_number
    left join last_ends
        on
            later.bank_account_code = last_ends.bank_account_code
            and later.currency_code = last_ends.currency_code
            and later.statement_number = last_ends.statement_number
    where
        (later.statement_number > earlier.statement_number and earlier.to_date = last_ends.last_end)
        or (later.from_date = earlier.from_date and later.to_date = earlier.to_date)
),

reaching as (
    -- Statements that reach into this one: their entries up to its first day lead to its opening balance.
    select
        later.bank_account_code,
        later.currency_code,
        later.statement_number,
        earlier.statement_number as earlier_number,
        earlier.statement_id as earlier_id,
        earlier.to_date as earlier_end,
        earlier.opening_balance + coalesce(sum(entries.amount), 0) as balance_left,
        0 as has_ended
    from numbered as later
    inner join numbered as earlier
        on
            later.bank_account_code = earlier.bank_account_code
            and later.currency_code = earlier.currency_code
            and later.statement_number > earlier.statement_number
            and later.from_date <= earlier.to_date
    left join entries
        on
            earlier.bank_account_code = entries.bank_account_code
            and earlier.currency_code = entries.currency_code
            and earlier.from_date <= entries.booking_date
            and later.from_date > entries.booking_date
    group by
        later.bank_account_code,
        later.currency_code,
        later.statement_number,
        earlier.statement_number,
        earlier.statement_id,
        earlier.to_date,
        earlier.opening_balance
),

candidates as (
    select * from ended
    union all
    select * from reaching
),

chosen as (
    select
        candidates.*,
        row_number() over (
            partition by candidates.bank_account_code, candidates.currency_code, candidates.statement_number
            order by
                case when candidates.balance_left = numbered.opening_balance then 0 else 1 end asc,
                candidates.has_ended desc,
                candidates.earlier_number desc
        ) as choice_number
    from candidates
    inner join numbered
        on
            candidates.bank_account_code = numbered.bank_account_code
            and candidates.currency_code = numbered.currency_code
            and candidates.statement_number = numbered.statement_number
    -- One of the same days that is numbered later counts only when it is the one before after all.
    where candidates.earlier_number < candidates.statement_number or candidates.balance_left = numbered.opening_balance
),

final as (
    select
        numbered.bank_account_code,
        bank_accounts.entity_code,
        numbered.statement_id,
        numbered.currency_code,
        numbered.from_date,
        numbered.to_date,
        {{ money('numbered.opening_balance') }} as opening_balance,
        {{ money('numbered.closing_balance') }} as closing_balance,
        chosen.earlier_id as previous_statement_id,
        chosen.earlier_end as previous_to_date,
        {{ money('chosen.balance_left') }} as balance_before,
        coalesce(chosen.balance_left <> numbered.opening_balance, false) as has_gap
    from numbered
    inner join bank_accounts
        on numbered.bank_account_code = bank_accounts.bank_account_code
    left join chosen
        on
            numbered.bank_account_code = chosen.bank_account_code
            and numbered.currency_code = chosen.currency_code
            and numbered.statement_number = chosen.statement_number
            and chosen.choice_number = 1
)

select * from final

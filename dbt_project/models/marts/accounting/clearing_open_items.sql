-- Grain: open item of a marketplace's clearing account at the time of the run: what the marketplace still owes or is owed, by cycle, and
-- what it over-paid, by receipt, and what was open before go-live, by its reference. The items add up to the closing balance of the newest period of clearing_rollforward.
with

cycles as (

    select * from {{ ref('int_matching__cycles') }}

),

journals as (

    select * from {{ ref('int_accounting__journals') }}

),

decided as (

    select * from {{ ref('int_matching__receipts_decided') }}
    where is_decided

),

opening_balances as (

    select * from {{ ref('stg_tieout__opening_balances') }}
    where account_role = 'MARKETPLACE_CLEARING'

),

carried_in as (

    -- The marketplace's own balance at go-live leaves with the first cycle that pays.
    select
        opening_balances.marketplace_code,
        opening_balances.currency_code,
        sum(opening_balances.amount) as opening_amount
    from opening_balances
    where opening_balances.item_kind = 'BALANCE'
    group by opening_balances.marketplace_code, opening_balances.currency_code

),

receipt_journals as (

    select * from journals
    where kind = 'PAYOUT_RECEIPT' and not is_blocked

),

settlements as (

    -- A cycle that spans two months has a journal in each, and one of them can be blocked alone.
    select
        journals.marketplace_code,
        journals.document_id as billing_cycle_id,
        sum(lines.debit - lines.credit) as settled_amount
    from journals
    inner join {{ ref('int_accounting__journal_lines') }} as lines
        on journals.journal_key = lines.journal_key
    where
        journals.kind = 'SETTLEMENT'
        and not journals.is_blocked
        and lines.account_role = 'MARKETPLACE_CLEARING'
    group by journals.marketplace_code, journals.document_id

),

settled as (

    -- A cycle is listed with the cycle that pays it: one pay-out clears them together.
    select
        cycles.marketplace_code,
        cycles.entity_code,
        cycles.currency_code,
        coalesce(cycles.paying_cycle_id, cycles.billing_cycle_id) as billing_cycle_id,
        min(cycles.cycle_date) as since_date,
        sum(
            coalesce(settlements.settled_amount, 0)
            + case when cycles.cycle_number = 1 then coalesce(carried_in.opening_amount, 0) else 0 end
        ) as settled_amount
    from cycles
    left join carried_in
        on
            cycles.marketplace_code = carried_in.marketplace_code
            and cycles.currency_code = carried_in.currency_code
    left join settlements
        on
            cycles.marketplace_code = settlements.marketplace_code
            and cycles.billing_cycle_id = settlements.billing_cycle_id
    group by
        cycles.marketplace_code,
        cycles.entity_code,
        cycles.currency_code,
        coalesce(cycles.paying_cycle_id, cycles.billing_cycle_id)

),

cleared as (

    select
        relieved.marketplace_code,
        relieved.billing_cycle_id,
        sum(relieved.amount) as cleared_amount,
        max(relieved.is_receipt) as is_received
    from (
        select
            decided.marketplace_code,
            decided.billing_cycle_id,
            decided.cleared_amount as amount,
            1 as is_receipt
        from decided
        inner join receipt_journals
            on decided.receipt_id = receipt_journals.receipt_id
        union all
        select
            write_offs.marketplace_code,
            write_offs.subject_id as billing_cycle_id,
            -write_offs.net_debit as amount,
            0 as is_receipt
        from {{ ref('int_accounting__write_offs') }} as write_offs
        where write_offs.account_role = 'MARKETPLACE_CLEARING'
    ) as relieved
    group by relieved.marketplace_code, relieved.billing_cycle_id

),

items as (

    select
        settled.marketplace_code,
        settled.entity_code,
        settled.currency_code,
        'CYCLE' as subject_type,
        settled.billing_cycle_id as subject_id,
        settled.since_date,
        cast(settled.settled_amount - coalesce(cleared.cleared_amount, 0) as decimal(18, 2)) as open_amount,
        case
            when
                payers.payout_amount > 0
                and (coalesce(cleared.cleared_amount, 0) = 0 or cleared.is_received = 0)
                and payers.identity_code is null
                then 'IN_TRANSIT'
            when payers.identity_code is not null then 'BREAK'
            when payers.payout_amount > 0 then 'BANK_DIFFERENCE'
            else 'CARRIED_FORWARD'
        end as item_kind
    from settled
    left join cleared
        on
            settled.marketplace_code = cleared.marketplace_code
            and settled.billing_cycle_id = cleared.billing_cycle_id
    inner join cycles as payers
        on
            settled.marketplace_code = payers.marketplace_code
            and settled.billing_cycle_id = payers.billing_cycle_id
    union all
    select
        decided.marketplace_code,
        receipt_journals.entity_code,
        receipt_journals.currency_code,
        'RECEIPT' as subject_type,
        decided.receipt_id as subject_id,
        min(receipt_journals.posting_date) as since_date,
        cast(-sum(decided.excess_amount) as decimal(18, 2)) as open_amount,
        'OVER_PAID' as item_kind
    from decided
    inner join receipt_journals
        on decided.receipt_id = receipt_journals.receipt_id
    group by
        decided.marketplace_code,
        receipt_journals.entity_code,
        receipt_journals.currency_code,
        decided.receipt_id
    union all
    select
        opening_balances.marketplace_code,
        opening_balances.entity_code,
        opening_balances.currency_code,
        'OPENING_ITEM' as subject_type,
        opening_balances.reference as subject_id,
        opening_balances.as_of_date as since_date,
        cast(opening_balances.amount as decimal(18, 2)) as open_amount,
        'BEFORE_GO_LIVE' as item_kind
    from opening_balances
    inner join {{ ref('int_ledger__marketplaces') }} as marketplaces
        on opening_balances.marketplace_code = marketplaces.marketplace_code
    where opening_balances.item_kind = 'OPEN_ITEM'

),

final as (

    select
        items.marketplace_code,
        items.entity_code,
        items.subject_type,
        items.subject_id,
        items.item_kind,
        items.currency_code,
        items.open_amount,
        items.since_date,
        cast({{ days_between('items.since_date', 'cast(' ~ as_of() ~ ' as date)') }} as integer) as days_open
    from items
    where items.open_amount <> 0

)

select * from final

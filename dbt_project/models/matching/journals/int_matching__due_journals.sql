-- Grain: canonical journal that nobody has posted or sent and that is not left to a person: expected, unblocked, not in the ERP under its
-- key, not already on its way, and of a period that is not known to be shut. A journal whose action was rejected, has failed, or was
-- verified and is gone again is left to a person: it is reported, not repeated. What was received by the ERP's own cash book is posted
-- already, whatever it was posted to. What takes another journal back waits (absent_kind) until that one is in the books or on its way.
with

journals as (

    select * from {{ ref('int_accounting__journals') }}
    where not is_excluded and not is_blocked

),

postings as (

    select distinct
        postings.erp_code,
        postings.reference
    from {{ ref('int_ledger__erp_postings') }} as postings

),

actions as (

    select distinct
        actions.marketplace_code,
        actions.wire_key
    from {{ ref('int_ledger__outbox_actions') }} as actions
    where actions.kind = 'JOURNAL' and actions.state <> 'SUPERSEDED'

),

waiting_actions as (

    select distinct
        actions.marketplace_code,
        actions.wire_key
    from {{ ref('int_ledger__outbox_actions') }} as actions
    where actions.kind = 'JOURNAL' and actions.state in ('PROPOSED', 'APPROVED')

),

living_actions as (

    select distinct
        actions.marketplace_code,
        actions.wire_key
    from {{ ref('int_ledger__outbox_actions') }} as actions
    where actions.kind = 'JOURNAL' and actions.state not in ('SUPERSEDED', 'REJECTED', 'FAILED')

),

locks as (

    {{ locked_periods() }}

),

shut_periods as (

    {{ shut_periods() }}

),

cash_book_receipts as (

    select receipts.receipt_id
    from {{ ref('int_ledger__receipts') }} as receipts
    where receipts.receipt_source = 'ERP'

),

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}

),

erps as (

    select * from {{ ref('stg_tieout__erps') }}

),

left_to_people as (

    -- Not every ERP takes a journal between its VAT accounts. And where finance has posted the settlement itself, the reverse charge may
    -- be on the return already, by another way: TAX-003 asks.
    select journals.journal_key
    from journals
    inner join erps
        on journals.erp_code = erps.erp_code
    left join journals as settlements
        on
            journals.marketplace_code = settlements.marketplace_code
            and journals.document_id = settlements.billing_cycle_id
    left join postings
        on
            settlements.erp_code = postings.erp_code
            and settlements.wire_key = postings.reference
    left join actions
        on
            settlements.marketplace_code = actions.marketplace_code
            and settlements.wire_key = actions.wire_key
    where
        journals.kind = 'REVERSE_CHARGE'
        and (
            {{ takes_no_vat_journals('erps.vendor') }}
            or (postings.reference is not null and actions.wire_key is null)
        )

),

due as (

    -- What belongs to a locked month is dated on the first day that is open; what waits with a date in it is proposed anew.
    select
        journals.*,
        coalesce(cast(locks.open_period || '-01' as date), journals.posting_date) as books_date,
        locks.period as prior_period
    from journals
    inner join marketplaces
        on journals.marketplace_code = marketplaces.marketplace_code
    inner join erps
        on journals.erp_code = erps.erp_code
    left join cash_book_receipts
        on journals.receipt_id = cash_book_receipts.receipt_id
    left join postings
        on
            journals.erp_code = postings.erp_code
            and journals.wire_key = postings.reference
    left join actions
        on
            journals.marketplace_code = actions.marketplace_code
            and journals.wire_key = actions.wire_key
    left join waiting_actions
        on
            journals.marketplace_code = waiting_actions.marketplace_code
            and journals.wire_key = waiting_actions.wire_key
    left join locks
        on
            journals.entity_code = locks.entity_code
            and journals.period = locks.period
    left join shut_periods
        on
            journals.erp_code = shut_periods.erp_code
            and coalesce(locks.open_period, journals.period) = shut_periods.period
    left join left_to_people
        on journals.journal_key = left_to_people.journal_key
    where
        postings.reference is null
        and cash_book_receipts.receipt_id is null
        and (actions.wire_key is null or (locks.period is not null and waiting_actions.wire_key is not null))
        and shut_periods.period is null
        and left_to_people.journal_key is null

),

absentees as (

    -- Neither in the books nor on their way there: of a shut period, blocked, or refused by a person or by the ERP.
    select distinct
        journals.marketplace_code,
        journals.document_id,
        case
            when journals.kind in ('NEGATIVE_BALANCE_RECLASS', 'SELLER_DEBIT_RECLASS') then 'RECLASS' else journals.kind
        end as taken_kind
    from {{ ref('int_accounting__journals') }} as journals
    left join postings
        on
            journals.erp_code = postings.erp_code
            and journals.wire_key = postings.reference
    left join living_actions
        on
            journals.marketplace_code = living_actions.marketplace_code
            and journals.wire_key = living_actions.wire_key
    left join due
        on journals.journal_key = due.journal_key
    where
        journals.kind in (
            'SETTLEMENT',
            'FEE_ACCRUAL',
            'UNBILLED_ACCRUAL',
            'NEGATIVE_BALANCE_RECLASS',
            'SELLER_DEBIT_RECLASS',
            'FX_REVALUATION'
        )
        and not journals.is_excluded
        and postings.reference is null
        and living_actions.wire_key is null
        and due.journal_key is null

),

takers as (

    select
        due.journal_key,
        due.marketplace_code,
        due.document_id,
        case
            when due.kind = 'VAT_RELEASE' then 'SETTLEMENT'
            -- A month's accrual, or what a settlement held back.
            when due.kind = 'UNBILLED_REVERSAL' and due.document_id not like '____-__' then 'SETTLEMENT'
            when due.kind = 'UNBILLED_REVERSAL' then 'UNBILLED_ACCRUAL'
            else replace(due.kind, '_REVERSAL', '')
        end as taken_kind
    from due
    where
        due.kind in (
            'VAT_RELEASE', 'UNBILLED_REVERSAL', 'FEE_ACCRUAL_REVERSAL', 'RECLASS_REVERSAL', 'FX_REVALUATION_REVERSAL'
        )

),

groundless as (

    select
        takers.journal_key,
        absentees.taken_kind as absent_kind
    from takers
    inner join absentees
        on
            takers.marketplace_code = absentees.marketplace_code
            and takers.document_id = absentees.document_id
            and takers.taken_kind = absentees.taken_kind

),

final as (

    select
        due.journal_key,
        due.books_date,
        due.prior_period,
        groundless.absent_kind
    from due
    left join groundless
        on due.journal_key = groundless.journal_key

)

select * from final

-- Grain: journal: what must stand in the ERP and how far it has come. Status: EXCLUDED (before journals go live, or of an operator without
-- an ERP), BLOCKED, HELD (until what it takes back is in the ledger or on its way), DUE (to be proposed), WAITING (in the outbox), POSTED (in
-- the ERP as it should be), EXCEPTION (level f has a finding).
with

states as (

    select * from {{ ref('int_matching__journal_states') }}

),

holds as (

    select
        dues.journal_key,
        'Waits for the ' || lower(replace(dues.absent_kind, '_', ' '))
        || ' that it takes back, which is neither in the ledger nor on its way there.' as reason
    from {{ ref('int_matching__due_journals') }} as dues
    where dues.absent_kind is not null

),

final as (

    select
        states.marketplace_code,
        states.entity_code,
        states.journal_key,
        states.wire_key,
        states.kind,
        states.version,
        states.posting_date,
        states.period,
        states.books_period,
        states.currency_code,
        states.total_debit,
        states.total_credit,
        states.line_count,
        states.document_id as source_id,
        states.billing_cycle_id,
        states.receipt_id,
        case
            when states.is_excluded then 'EXCLUDED'
            when states.match_status = 'MATCHED' then 'POSTED'
            when states.erp_state = 'ABSENT' and states.is_blocked then 'BLOCKED'
            when states.match_status = 'TIMING' and holds.journal_key is not null then 'HELD'
            when states.match_status = 'TIMING' and states.action_state is null then 'DUE'
            when states.match_status = 'TIMING' then 'WAITING'
            else 'EXCEPTION'
        end as status,
        states.is_blocked,
        case when states.erp_state = 'ABSENT' then states.blocked_code end as blocked_code,
        case when states.erp_state = 'ABSENT' then coalesce(states.blocked_reason, holds.reason) end as blocked_reason,
        case when states.match_status = 'EXCEPTION' then states.fault_code end as exception_code,
        states.action_state,
        states.erp_document_id
    from states
    left join holds
        on states.journal_key = holds.journal_key

)

select * from final

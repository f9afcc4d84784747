-- Grain: canonical journal, or an unexpected ERP posting, of level f. Amounts in the ledger's view: expected = total debit of the
-- canonical journal, actual = the same less or plus what the ERP's postings under its key differ by.
with

states as (

    select * from {{ ref('int_matching__journal_states') }}

),

unexpected as (

    select * from {{ ref('int_matching__unexpected_postings') }}

),

journal_rows as (

    select
        states.marketplace_code,
        states.entity_code,
        'JOURNAL' as subject_type,
        states.journal_key as subject_id,
        'F010_KEY' as rule_code,
        states.match_status as status,
        case when states.match_status = 'EXCEPTION' then states.fault_code end as exception_code,
        states.total_debit as expected_amount,
        cast(case states.erp_state
            when 'ABSENT' then 0
            when 'REVERSED' then 0
            when 'DUPLICATED' then states.total_debit * 2
            when 'COPIED' then states.total_debit + abs(states.copied_amount)
            -- Both sides of a balanced change are counted in the difference.
            when 'CHANGED' then states.total_debit + states.difference_amount * 0.5
            when 'WRONG_ACCOUNT' then states.total_debit - states.difference_amount * 0.5
            when 'WRONG_PERIOD' then states.total_debit
            else states.total_debit
        end as decimal(18, 2)) as actual_amount,
        states.currency_code,
        states.wire_key as left_id,
        states.erp_document_id as right_id,
        states.patience_ends_at as due_at,
        -- A blocked journal is the consequence of what blocks it; an unmapped role is a finding of this level itself.
        case
            when states.match_status = 'EXCEPTION' and states.erp_state = 'ABSENT' then states.blocked_subject_type
        end as root_subject_type,
        case
            when states.match_status = 'EXCEPTION' and states.erp_state = 'ABSENT' then states.blocked_subject_id
        end as root_subject_id,
        case states.fault_code
            when 'JNL-001'
                then
                    'The journal is not in the ERP'
                    || coalesce('; its action is ' || lower(states.action_state), '') || '.'
            when 'JNL-002' then 'The journal stands in the ERP twice.'
            when 'JNL-003' then 'The amounts in the ERP are not those of the journal.'
            when 'JNL-005' then 'The journal stands in another period than ' || states.period || '.'
            when 'JNL-007' then 'The journal was posted and is reversed or gone.'
            when 'JNL-008' then 'The journal waits for approval for more than a business day.'
            when 'JNL-009' then 'The amounts are right but stand on another account.'
            when 'JNL-010' then 'The journal is not in the ERP, where period ' || states.period || ' is shut.'
            when 'JNL-012' then 'The journal cannot be posted: ' || states.blocked_reason
            else states.blocked_reason
        end as summary,
        states.journal_key,
        states.wire_key,
        states.kind,
        states.billing_cycle_id,
        states.receipt_id,
        states.erp_state,
        states.action_state,
        states.posting_date as subject_date
    from states

),

unexpected_rows as (

    select
        unexpected.marketplace_code,
        unexpected.entity_code,
        'ERP_POSTING' as subject_type,
        unexpected.urn as subject_id,
        'F020_UNEXPECTED' as rule_code,
        'EXCEPTION' as status,
        case when unexpected.copied_journal_key is null then 'JNL-004' else 'JNL-002' end as exception_code,
        cast(0 as decimal(18, 2)) as expected_amount,
        unexpected.net_amount as actual_amount,
        unexpected.currency_code,
        cast(null as varchar) as left_id,
        unexpected.urn as right_id,
        cast(null as timestamp) as due_at,
        case when unexpected.copied_journal_key is not null then 'JOURNAL' end as root_subject_type,
        unexpected.copied_journal_key as root_subject_id,
        case
            when unexpected.copied_journal_key is null
                then
                    'Posting ' || unexpected.urn || ' moves ' || lower(replace(unexpected.account_role, '_', ' '))
                    || ' without belonging to a journal.'
            else 'Posting ' || unexpected.urn || ' repeats a journal by hand.'
        end as summary,
        unexpected.copied_journal_key as journal_key,
        unexpected.reference as wire_key,
        cast(null as varchar) as kind,
        cast(null as varchar) as billing_cycle_id,
        cast(null as varchar) as receipt_id,
        'UNEXPECTED' as erp_state,
        cast(null as varchar) as action_state,
        unexpected.transaction_date as subject_date
    from unexpected

),

unioned as (

    select * from journal_rows
    union all
    select * from unexpected_rows

),

final as (

    select
        unioned.marketplace_code,
        unioned.entity_code,
        unioned.subject_type,
        unioned.subject_id,
        unioned.rule_code,
        unioned.status,
        unioned.exception_code,
        unioned.expected_amount,
        unioned.actual_amount,
        cast(unioned.actual_amount - unioned.expected_amount as decimal(18, 2)) as delta_amount,
        cast(0 as decimal(18, 2)) as tolerance_amount,
        unioned.currency_code,
        unioned.left_id,
        unioned.right_id,
        unioned.due_at,
        unioned.root_subject_type,
        unioned.root_subject_id,
        unioned.summary,
        unioned.journal_key,
        unioned.wire_key,
        unioned.kind,
        unioned.billing_cycle_id,
        unioned.receipt_id,
        unioned.erp_state,
        unioned.action_state,
        unioned.subject_date
    from unioned

)

select * from final

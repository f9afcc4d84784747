-- Grain: canonical journal with its one state of level f: in the ERP as it should be, on its way, waiting, or wrong in a named way.
with

journals as (

    select * from {{ ref('int_accounting__journals') }}

),

postings as (

    select * from {{ ref('int_matching__journal_postings') }}

),

documents as (

    select * from {{ ref('int_matching__journal_documents') }}

),

unexpected as (

    select * from {{ ref('int_matching__unexpected_postings') }}

),

actions as (

    select * from {{ ref('int_ledger__outbox_actions') }}
    where kind = 'JOURNAL'

),

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}

),

shut_periods as (

    {{ shut_periods() }}

),

locks as (

    {{ locked_periods() }}

),

movements as (

    select
        postings.journal_key,
        sum(postings.turnover_amount) as turnover_amount,
        sum(abs(postings.actual_amount)) as live_amount,
        sum(abs(postings.actual_amount - postings.expected_amount)) as difference_amount,
        -- Right amounts on a wrong account: every difference is a whole expected movement that stands on another account.
        sum(postings.actual_amount - postings.expected_amount) as unbalanced_amount,
        sum(case when postings.expected_amount = 0 and postings.actual_amount <> 0 then 1 else 0 end) as foreign_count,
        sum(
            case
                when
                    postings.expected_amount <> 0
                    and postings.actual_amount <> 0
                    and postings.actual_amount <> postings.expected_amount
                    then 1
                else 0
            end
        ) as changed_count
    from postings
    group by postings.journal_key

),

parts as (

    select
        documents.journal_key,
        documents.part_code,
        abs(documents.clearing_amount) as clearing_amount,
        sum(case when documents.clearing_amount >= 0 then 1 else 0 end) as plus_count,
        sum(case when documents.clearing_amount < 0 then 1 else 0 end) as minus_count
    from documents
    group by documents.journal_key, documents.part_code, abs(documents.clearing_amount)

),

document_totals as (

    select
        documents.journal_key,
        count(*) as document_count,
        min(documents.period) as first_period,
        max(documents.period) as last_period,
        {{ ordered_list('documents.urn', "','", 'documents.urn') }} as erp_document_id
    from documents
    group by documents.journal_key

),

part_totals as (

    select
        parts.journal_key,
        max(case when parts.plus_count >= 2 or parts.minus_count >= 2 then 1 else 0 end) as has_repeated_part,
        max(case when parts.plus_count > 0 and parts.minus_count > 0 then 1 else 0 end) as has_reversed_part,
        max(
            case
                when parts.plus_count - parts.minus_count >= 2 or parts.minus_count - parts.plus_count >= 2 then 1
                else 0
            end
        ) as has_duplicate_part
    from parts
    group by parts.journal_key

),

hand_copies as (

    select
        unexpected.copied_journal_key as journal_key,
        min(unexpected.urn) as urn,
        cast(sum(unexpected.net_amount) as decimal(18, 2)) as net_amount
    from unexpected
    where unexpected.copied_journal_key is not null
    group by unexpected.copied_journal_key

),

newest_actions as (

    select
        ranked.marketplace_code,
        ranked.wire_key,
        ranked.state,
        ranked.posting_period,
        ranked.proposed_at,
        ranked.decided_at,
        ranked.sent_at,
        ranked.detail
    from (
        select
            actions.*,
            row_number() over (
                partition by actions.marketplace_code, actions.wire_key
                order by actions.version desc, actions.proposed_at desc, actions.action_key desc
            ) as action_number
        from actions
    ) as ranked
    where ranked.action_number = 1

),

waiting as (

    select
        journals.journal_key,
        newest_actions.state,
        newest_actions.posting_period,
        newest_actions.detail,
        newest_actions.proposed_at,
        -- At the end of the last working day allowed since the action last moved, in the entity's time zone: one day for what is on
        -- its way, for an approval as many as are agreed.
        case
            when newest_actions.state = 'PROPOSED' and marketplaces.approval_days = 0 then newest_actions.proposed_at
            else {{ utc_from_local(
            'cast(' ~ add_days(
                add_business_days(
                    local_date(
                        "coalesce(newest_actions.sent_at, newest_actions.decided_at, newest_actions.proposed_at)",
                        'marketplaces.time_zone'
                    ),
                    "case when newest_actions.state = 'PROPOSED' then coalesce(marketplaces.approval_days, 1) else 1 end"
                ),
                '1'
            ) ~ ' as timestamp)',
            'marketplaces.time_zone'
        ) }}
        end as patience_ends_at
    from journals
    inner join newest_actions
        on
            journals.marketplace_code = newest_actions.marketplace_code
            and journals.wire_key = newest_actions.wire_key
    inner join marketplaces
        on journals.marketplace_code = marketplaces.marketplace_code

),

judged as (

    select
        journals.*,
        document_totals.erp_document_id,
        document_totals.first_period,
        document_totals.last_period,
        coalesce(document_totals.document_count, 0) as document_count,
        -- What belongs to a month that is locked and was not posted in time goes to the first open one, as an item of a prior period.
        case
            when document_totals.document_count is null then coalesce(locks.open_period, journals.period)
            when
                document_totals.first_period = waiting.posting_period
                and document_totals.last_period = waiting.posting_period
                and waiting.posting_period > journals.period
                then waiting.posting_period
            else journals.period
        end as books_period,
        coalesce(movements.difference_amount, 0) as difference_amount,
        hand_copies.urn as copied_urn,
        hand_copies.net_amount as copied_amount,
        waiting.state as action_state,
        waiting.detail as action_detail,
        waiting.proposed_at,
        waiting.patience_ends_at,
        -- What was sent may have been posted before the period was shut.
        shut_periods.period is not null
        and coalesce(waiting.state, '') not in ('SENDING', 'SENT', 'UNKNOWN', 'VERIFIED') as is_shut_out,
        case
            when document_totals.document_count is null then 'ABSENT'
            when part_totals.has_duplicate_part = 1 then 'DUPLICATED'
            when
                movements.live_amount = 0
                or (part_totals.has_reversed_part = 1 and movements.difference_amount > 0)
                then 'REVERSED'
            when movements.difference_amount = 0 and hand_copies.journal_key is not null then 'COPIED'
            when
                movements.difference_amount = 0
                and (document_totals.first_period <> journals.period or document_totals.last_period <> journals.period)
                and not coalesce(
                    document_totals.first_period = waiting.posting_period
                    and document_totals.last_period = waiting.posting_period
                    and waiting.posting_period > journals.period, false
                )
                then 'WRONG_PERIOD'
            when movements.difference_amount = 0 then 'EQUAL'
            -- Until its action is proved, what is missing of a journal of several documents is a matter of delivery.
            when waiting.state in ('APPROVED', 'SENDING', 'SENT', 'UNKNOWN', 'FAILED') and movements.foreign_count = 0
                then 'PARTLY_SENT'
            when movements.unbalanced_amount = 0 and movements.foreign_count > 0 and movements.changed_count = 0
                then 'WRONG_ACCOUNT'
            else 'CHANGED'
        end as erp_state
    from journals
    left join movements
        on journals.journal_key = movements.journal_key
    left join document_totals
        on journals.journal_key = document_totals.journal_key
    left join part_totals
        on journals.journal_key = part_totals.journal_key
    left join hand_copies
        on journals.journal_key = hand_copies.journal_key
    left join waiting
        on journals.journal_key = waiting.journal_key
    left join locks
        on
            journals.entity_code = locks.entity_code
            and journals.period = locks.period
    left join shut_periods
        on
            journals.erp_code = shut_periods.erp_code
            and coalesce(locks.open_period, journals.period) = shut_periods.period

),

final as (

    select
        judged.*,
        case
            when judged.is_excluded then 'EXCLUDED'
            when judged.erp_state = 'ABSENT' and (judged.is_blocked or judged.is_shut_out) then 'EXCEPTION'
            when judged.erp_state = 'EQUAL' then 'MATCHED'
            when judged.erp_state in ('ABSENT', 'PARTLY_SENT') and judged.action_state is null then 'TIMING'
            when
                judged.erp_state in ('ABSENT', 'PARTLY_SENT')
                and judged.action_state in ('PROPOSED', 'APPROVED', 'SENDING', 'SENT', 'UNKNOWN')
                and {{ as_of() }} < judged.patience_ends_at
                then 'TIMING'
            when judged.erp_state = 'ABSENT' and judged.action_state = 'SUPERSEDED' then 'TIMING'
            else 'EXCEPTION'
        end as match_status,
        case
            when judged.erp_state = 'ABSENT' and judged.is_blocked then judged.blocked_code
            when judged.erp_state = 'ABSENT' and judged.is_shut_out then 'JNL-010'
            when judged.erp_state in ('DUPLICATED', 'COPIED') then 'JNL-002'
            when judged.erp_state = 'REVERSED' then 'JNL-007'
            when judged.erp_state = 'WRONG_PERIOD' then 'JNL-005'
            when judged.erp_state = 'WRONG_ACCOUNT' then 'JNL-009'
            when judged.erp_state = 'CHANGED' then 'JNL-003'
            when judged.erp_state = 'ABSENT' and judged.action_state = 'VERIFIED' then 'JNL-007'
            when judged.erp_state in ('ABSENT', 'PARTLY_SENT') and judged.action_state = 'PROPOSED' then 'JNL-008'
            when judged.erp_state in ('ABSENT', 'PARTLY_SENT') then 'JNL-001'
        end as fault_code
    from judged

)

select * from final

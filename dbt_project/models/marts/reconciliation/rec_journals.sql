-- Grain: canonical journal, unexpected ERP posting, or ERP posting of an accrual, of level f. Amounts in the ledger's view: expected = total debit of the
-- canonical journal, actual = the same less or plus what the ERP's postings under its key differ by.
with

states as (

    select * from {{ ref('int_matching__journal_states') }}

),

unexpected as (

    select * from {{ ref('int_matching__unexpected_postings') }}

),

accruals as (

    select * from {{ ref('int_matching__accruals') }}

),

erp_orders as (

    select
        erp_code,
        document_no,
        min(order_reference) as order_id
    from {{ ref('int_ledger__erp_orders') }}
    where document_no is not null and not is_draft
    group by erp_code, document_no

),

-- Where settlements book the sales, the ERP invoices and credits nobody: its invoice is the same sale a second time.
mixed as (

    select
        marketplaces.marketplace_code,
        marketplaces.entity_code,
        marketplaces.currency_code,
        case
            when coalesce(erp_orders.order_id, orders.order_id) is null then 'ERP_POSTING'
            else 'ORDER'
        end as subject_type,
        coalesce(erp_orders.order_id, orders.order_id, transactions.urn) as subject_id,
        min(transactions.reference) as document_no,
        count(*) as document_count,
        min(transactions.transaction_date) as transaction_date,
        cast(sum(transactions.amount) as decimal(18, 2)) as amount
    from {{ ref('int_ledger__erp_customer_transactions') }} as transactions
    inner join {{ ref('int_ledger__marketplaces') }} as marketplaces
        on
            transactions.erp_code = marketplaces.erp_code
            and transactions.customer_reference = marketplaces.customer_reference
            and marketplaces.posting_model = 'SETTLEMENT_LED'
    left join erp_orders
        on
            transactions.erp_code = erp_orders.erp_code
            and transactions.second_reference = erp_orders.document_no
    left join {{ ref('int_ledger__orders') }} as orders
        on
            marketplaces.marketplace_code = orders.marketplace_code
            and transactions.second_reference = orders.order_id
    where
        transactions.kind in ('INVOICE', 'CREDIT_NOTE')
        and transactions.transaction_date >= marketplaces.go_live_date
    group by
        marketplaces.marketplace_code,
        marketplaces.entity_code,
        marketplaces.currency_code,
        case
            when coalesce(erp_orders.order_id, orders.order_id) is null then 'ERP_POSTING'
            else 'ORDER'
        end,
        coalesce(erp_orders.order_id, orders.order_id, transactions.urn)

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
        case states.kind
            when 'SETTLEMENT' then 'Settlement of cycle '
            when 'PAYOUT_RECEIPT' then 'Journal of receipt '
            else 'Journal '
        end || states.document_id || ' of ' || cast(states.posting_date as varchar) || ', '
        || cast(states.total_debit as varchar) || ' ' || states.currency_code || ', '
        || case states.fault_code
            when 'JNL-001'
                then
                    'is not in the ERP'
                    || case
                        when states.action_state = 'FAILED' and states.action_detail is not null
                            then ': it was refused. ' || substr(states.action_detail, 1, 300)
                        else coalesce('; its action is ' || lower(states.action_state), '') || '.'
                    end
            when 'JNL-002' then 'stands in the ERP twice.'
            when 'JNL-003'
                then
                    'stands there with other amounts: they differ by '
                    || cast(cast(states.difference_amount * 0.5 as decimal(18, 2)) as varchar) || '.'
            when 'JNL-005' then 'stands in another period than ' || states.period || '.'
            when 'JNL-007' then 'was posted and is reversed or gone.'
            when 'JNL-008'
                then
                    'has waited for approval since ' || cast(cast(states.proposed_at as date) as varchar)
                    || ', longer than agreed.'
            when 'JNL-009' then 'has the right amounts on a wrong account.'
            when 'JNL-010'
                then
                    'cannot be posted any more: period ' || states.period || ' is shut. Open it in the ERP, or '
                    || 'lock the month here (tieout close): then it is dated in the next open one.'
            else 'cannot be posted: ' || states.blocked_reason
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
                    'Posting ' || unexpected.urn || coalesce(' (' || unexpected.reference || ')', '') || ' of '
                    || cast(unexpected.transaction_date as varchar) || ' moves '
                    || case unexpected.account_role
                        when 'AR_MARKETPLACE' then 'the marketplace''s customer account'
                        else lower(replace(unexpected.account_role, '_', ' '))
                    end
                    || ' by ' || cast(unexpected.net_amount as varchar) || ' without belonging to a journal.'
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

accrual_rows as (

    select
        accruals.marketplace_code,
        accruals.entity_code,
        'ERP_POSTING' as subject_type,
        accruals.urn as subject_id,
        'F030_ACCRUAL' as rule_code,
        case
            when accruals.is_excluded then 'EXCLUDED'
            when accruals.is_accrual and accruals.counter_period = accruals.next_period then 'MATCHED'
            when accruals.is_accrual and accruals.counter_urn is null and {{ as_of() }} < accruals.due_at then 'TIMING'
            when not accruals.is_accrual and accruals.counter_urn is not null then 'MATCHED'
            else 'EXCEPTION'
        end as status,
        case
            when accruals.is_excluded then cast(null as varchar)
            when accruals.is_accrual then 'JNL-011'
            else 'JNL-004'
        end as fault_code,
        cast(0 as decimal(18, 2)) as expected_amount,
        case when accruals.counter_urn is null then accruals.net_amount else cast(0 as decimal(18, 2)) end
            as actual_amount,
        accruals.currency_code,
        accruals.counter_urn as left_id,
        accruals.urn as right_id,
        accruals.due_at,
        case
            when
                accruals.is_excluded
                or case
                    when accruals.is_accrual then coalesce(accruals.counter_period = accruals.next_period, false)
                    else accruals.counter_urn is not null
                end
                then cast(null as varchar)
            when accruals.is_accrual
                then
                    'Posting ' || accruals.urn || coalesce(' (' || accruals.reference || ')', '') || ' accrues '
                    || cast(abs(accruals.net_amount) as varchar) || ' ' || accruals.currency_code || ' on '
                    || cast(accruals.transaction_date as varchar) || ' and '
                    || coalesce(
                        'is only reversed in ' || accruals.counter_period || ', not in ' || accruals.next_period,
                        'nothing reverses it in ' || accruals.next_period
                    ) || ': the amount is in the profit and loss account twice.'
            else
                'Posting ' || accruals.urn || ' takes ' || cast(abs(accruals.net_amount) as varchar) || ' '
                || accruals.currency_code || ' off ' || lower(replace(accruals.account_role, '_', ' '))
                || ', and no accrual of that amount was posted.'
        end as summary,
        accruals.reference as wire_key,
        case when accruals.account_role = 'UNBILLED_SETTLEMENT' then 'UNBILLED' else 'FEE_ACCRUAL' end
        || case when accruals.is_accrual then '' else '_REVERSAL' end as kind,
        accruals.transaction_date as subject_date
    from accruals

),

unioned as (

    select * from journal_rows
    union all
    select * from unexpected_rows
    union all
    select
        accrual_rows.marketplace_code,
        accrual_rows.entity_code,
        accrual_rows.subject_type,
        accrual_rows.subject_id,
        accrual_rows.rule_code,
        accrual_rows.status,
        case when accrual_rows.status = 'EXCEPTION' then accrual_rows.fault_code end as exception_code,
        accrual_rows.expected_amount,
        accrual_rows.actual_amount,
        accrual_rows.currency_code,
        accrual_rows.left_id,
        accrual_rows.right_id,
        accrual_rows.due_at,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        accrual_rows.summary,
        cast(null as varchar) as journal_key,
        accrual_rows.wire_key,
        accrual_rows.kind,
        cast(null as varchar) as billing_cycle_id,
        cast(null as varchar) as receipt_id,
        'ACCRUAL' as erp_state,
        cast(null as varchar) as action_state,
        accrual_rows.subject_date
    from accrual_rows
    union all
    select
        mixed.marketplace_code,
        mixed.entity_code,
        mixed.subject_type,
        mixed.subject_id,
        'F040_MODEL' as rule_code,
        'EXCEPTION' as status,
        'JNL-009' as exception_code,
        cast(0 as decimal(18, 2)) as expected_amount,
        mixed.amount as actual_amount,
        mixed.currency_code,
        cast(null as varchar) as left_id,
        mixed.document_no as right_id,
        cast(null as timestamp) as due_at,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        'The ERP has invoiced ' || cast(mixed.amount as varchar) || ' ' || mixed.currency_code
        || ' on the marketplace''s account'
        || case mixed.subject_type when 'ORDER' then ' for order ' else ', posting ' end
        || mixed.subject_id || ' (' || mixed.document_no
        || case when mixed.document_count > 1 then ' and others' else '' end
        || '), and settlements book the sales of this marketplace: the sale is in the books twice.' as summary,
        cast(null as varchar) as journal_key,
        cast(null as varchar) as wire_key,
        cast(null as varchar) as kind,
        cast(null as varchar) as billing_cycle_id,
        cast(null as varchar) as receipt_id,
        'MIXED' as erp_state,
        cast(null as varchar) as action_state,
        mixed.transaction_date as subject_date
    from mixed

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

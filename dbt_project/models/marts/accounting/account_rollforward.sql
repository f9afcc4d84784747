-- Grain: account role × marketplace × currency × period, for what clearing_rollforward does not roll: the customer account, accruals,
-- fees, VAT and the other accounts that journals move. opening + movements = closing, beside what the ERP holds of the same. The
-- difference is split into what is only on its way, what a finding explains, and the rest, which must be nil. Debit positive, in the
-- books' own currency. The customer account is whole (documents of the ERP, journals, and what a hand posted); of accounts that the
-- marketplaces share the ERP's side is what stands there under this marketplace's journals.
with

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}
    where has_books or (perspective = 'OPERATOR' and erp_code is not null)

),

lines as (

    -- Several roles may share one account; what the ERP holds is compared account by account.
    select
        lines.journal_key,
        lines.account_role,
        coalesce(lines.account_code, '') as account_code,
        lines.cost_centre,
        lines.department,
        cast(
            sum(coalesce(lines.functional_debit, lines.debit) - coalesce(lines.functional_credit, lines.credit))
            as decimal(18, 2)
        ) as expected_amount
    from {{ ref('int_accounting__journal_lines') }} as lines
    where
        lines.account_role not in (
            'BANK', 'MARKETPLACE_CLEARING', 'MARKETPLACE_RESERVE', 'MARKETPLACE_TAX_PASSTHROUGH'
        )
    group by
        lines.journal_key, lines.account_role, coalesce(lines.account_code, ''), lines.cost_centre, lines.department

),

journal_movements as (

    select
        states.marketplace_code,
        lines.account_role,
        states.period,
        states.kind as movement_kind,
        states.match_status,
        -- A journal that may not be posted yet is not expected in the ledger.
        case
            when states.is_excluded then coalesce(postings.actual_amount, 0)
            when states.is_blocked and states.erp_state = 'ABSENT' then 0
            else lines.expected_amount
        end as expected_amount,
        case
            when lines.account_role = 'UNMAPPED' then 0
            -- Of an account that two roles of one journal share, each has its own part.
            when shared.role_count > 1
                then
                    case
                        when coalesce(postings.actual_amount, 0) = coalesce(postings.expected_amount, 0)
                            then lines.expected_amount
                        when shared.first_role = lines.account_role
                            then
                                coalesce(postings.actual_amount, 0) - postings.expected_amount
                                + lines.expected_amount
                        else lines.expected_amount
                    end
            else coalesce(postings.actual_amount, 0)
        end as actual_amount
    from {{ ref('int_matching__journal_states') }} as states
    inner join lines
        on states.journal_key = lines.journal_key
    inner join (
        select
            moved.journal_key,
            moved.account_code,
            moved.cost_centre,
            moved.department,
            count(*) as role_count,
            min(moved.account_role) as first_role
        from lines as moved
        group by moved.journal_key, moved.account_code, moved.cost_centre, moved.department
    ) as shared
        on
            lines.journal_key = shared.journal_key
            and lines.account_code = shared.account_code
            and lines.cost_centre = shared.cost_centre
            and lines.department = shared.department
    left join {{ ref('int_matching__journal_postings') }} as postings
        on
            lines.journal_key = postings.journal_key
            and lines.account_code = postings.account_code
            and lines.cost_centre = postings.cost_centre
            and lines.department = postings.department

),

known_keys as (

    select distinct
        states.marketplace_code,
        states.wire_key
    from {{ ref('int_matching__journal_states') }} as states

),

document_movements as (

    -- Which figure rules: of sales and credits the ERP's document. What a hand posts on the account is a finding where it names no journal.
    select
        marketplaces.marketplace_code,
        'AR_MARKETPLACE' as account_role,
        {{ period_of('transactions.transaction_date') }} as period,
        case when transactions.kind in ('INVOICE', 'CREDIT_NOTE') then transactions.kind else 'UNEXPECTED' end
            as movement_kind,
        case when transactions.kind in ('INVOICE', 'CREDIT_NOTE') then 'MATCHED' else 'EXCEPTION' end as match_status,
        case
            when transactions.kind in ('INVOICE', 'CREDIT_NOTE') then transactions.functional_amount else 0
        end as expected_amount,
        transactions.functional_amount as actual_amount,
        transactions.transaction_date < marketplaces.go_live_date as is_before_go_live
    from {{ ref('int_ledger__erp_customer_transactions') }} as transactions
    inner join marketplaces
        on
            transactions.erp_code = marketplaces.erp_code
            and transactions.customer_reference = marketplaces.customer_reference
    left join known_keys
        on
            marketplaces.marketplace_code = known_keys.marketplace_code
            and transactions.reference = known_keys.wire_key
    where known_keys.wire_key is null

),

movements as (

    select
        journal_movements.marketplace_code,
        journal_movements.account_role,
        journal_movements.period,
        journal_movements.movement_kind,
        journal_movements.match_status,
        journal_movements.expected_amount,
        journal_movements.actual_amount
    from journal_movements
    union all
    select
        document_movements.marketplace_code,
        document_movements.account_role,
        document_movements.period,
        case when document_movements.is_before_go_live then 'OPENING' else document_movements.movement_kind end
            as movement_kind,
        document_movements.match_status,
        case
            when document_movements.is_before_go_live then document_movements.actual_amount
            else document_movements.expected_amount
        end as expected_amount,
        document_movements.actual_amount
    from document_movements
    union all
    -- What a hand posted where only journals belong is a finding (JNL-004), and in the balance all the same.
    select
        unexpected.marketplace_code,
        unexpected.account_role,
        unexpected.period,
        'UNEXPECTED' as movement_kind,
        'EXCEPTION' as match_status,
        cast(0 as decimal(18, 2)) as expected_amount,
        unexpected.net_amount as actual_amount
    from {{ ref('int_matching__unexpected_postings') }} as unexpected
    where unexpected.account_role in ('DUE_TO_MARKETPLACE', 'INPUT_VAT_PENDING', 'OUTPUT_VAT_PENDING')

),

periods as (

    select distinct
        movements.marketplace_code,
        movements.period
    from movements

),

spine as (

    -- A month without movements of its own still has a balance.
    select
        roles.marketplace_code,
        roles.account_role,
        periods.period
    from (
        select
            movements.marketplace_code,
            movements.account_role,
            min(movements.period) as first_period
        from movements
        group by movements.marketplace_code, movements.account_role
    ) as roles
    inner join periods
        on
            roles.marketplace_code = periods.marketplace_code
            and roles.first_period <= periods.period

),

monthly as (

    select
        spine.marketplace_code,
        spine.account_role,
        spine.period,
        sum(case when movements.movement_kind = 'OPENING' then movements.expected_amount else 0 end) as before_amount,
        sum(case when movements.movement_kind = 'INVOICE' then movements.expected_amount else 0 end) as invoice_amount,
        sum(case when movements.movement_kind = 'CREDIT_NOTE' then movements.expected_amount else 0 end)
            as credit_note_amount,
        sum(case when movements.movement_kind = 'SETTLEMENT' then movements.expected_amount else 0 end)
            as settlement_amount,
        sum(
            case
                when movements.movement_kind in ('FEE_ACCRUAL', 'UNBILLED_ACCRUAL') then movements.expected_amount
                else 0
            end
        ) as accrual_amount,
        sum(
            case
                when movements.movement_kind in ('FEE_ACCRUAL_REVERSAL', 'UNBILLED_REVERSAL')
                    then movements.expected_amount
                else 0
            end
        ) as reversal_amount,
        sum(case when movements.movement_kind = 'UNEXPECTED' then movements.actual_amount else 0 end)
            as by_hand_amount,
        sum(coalesce(movements.expected_amount, 0)) as movement_amount,
        sum(coalesce(movements.actual_amount, 0)) as erp_amount,
        sum(
            case
                when movements.match_status = 'TIMING' then movements.actual_amount - movements.expected_amount
                else 0
            end
        ) as timing_amount,
        sum(
            case
                when movements.match_status = 'EXCEPTION' then movements.actual_amount - movements.expected_amount
                else 0
            end
        ) as finding_amount
    from spine
    left join movements
        on
            spine.marketplace_code = movements.marketplace_code
            and spine.account_role = movements.account_role
            and spine.period = movements.period
    group by spine.marketplace_code, spine.account_role, spine.period

),

running as (

    select
        monthly.*,
        sum(monthly.movement_amount) over until_now as closing_amount,
        sum(monthly.erp_amount) over until_now as erp_closing_amount,
        sum(monthly.timing_amount) over until_now as timing_total_amount,
        sum(monthly.finding_amount) over until_now as finding_total_amount
    from monthly
    window until_now as (
        partition by monthly.marketplace_code, monthly.account_role
        order by monthly.period
        rows between unbounded preceding and current row
    )

),

final as (

    select
        running.marketplace_code,
        marketplaces.entity_code,
        running.account_role,
        marketplaces.functional_currency as currency_code,
        running.period,
        cast(
            running.closing_amount - running.movement_amount + running.before_amount as decimal(18, 2)
        ) as opening_amount,
        cast(running.invoice_amount as decimal(18, 2)) as invoice_amount,
        cast(running.credit_note_amount as decimal(18, 2)) as credit_note_amount,
        cast(running.settlement_amount as decimal(18, 2)) as settlement_amount,
        cast(running.accrual_amount as decimal(18, 2)) as accrual_amount,
        cast(running.reversal_amount as decimal(18, 2)) as reversal_amount,
        cast(
            running.movement_amount - running.before_amount - running.invoice_amount - running.credit_note_amount
            - running.settlement_amount - running.accrual_amount - running.reversal_amount as decimal(18, 2)
        ) as other_amount,
        cast(running.closing_amount as decimal(18, 2)) as closing_amount,
        cast(running.erp_closing_amount as decimal(18, 2)) as erp_closing_amount,
        cast(running.erp_closing_amount - running.closing_amount as decimal(18, 2)) as difference_amount,
        cast(running.timing_total_amount as decimal(18, 2)) as timing_amount,
        cast(running.finding_total_amount as decimal(18, 2)) as finding_amount,
        cast(running.by_hand_amount as decimal(18, 2)) as by_hand_amount,
        cast(
            running.erp_closing_amount - running.closing_amount - running.timing_total_amount
            - running.finding_total_amount as decimal(18, 2)
        ) as unexplained_amount
    from running
    inner join marketplaces
        on running.marketplace_code = marketplaces.marketplace_code

)

select * from final

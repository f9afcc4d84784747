-- Grain: one billing cycle of a shop on a marketplace; balances run per shop and currency. The settlement identity: opening + net -
-- pay-out = closing, to the penny, where the opening is what the cycles since the last pay-out left behind. A break is carried
-- as a named amount, so that it is reported once and does not make every later cycle look wrong.
with

cycles as (

    select * from {{ ref('int_ledger__cycles') }}

),

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}

),

lines as (

    select * from {{ ref('int_matching__transaction_lines') }}
    where billing_cycle_id is not null

),

changes as (

    select * from {{ ref('int_ledger__settlement_line_changes') }}

),

gaps as (

    select * from {{ ref('int_matching__balance_gaps') }}

),

opening_balances as (

    select
        opening.marketplace_code,
        opening.currency_code,
        cast(sum(opening.amount) as decimal(18, 2)) as opening_amount
    from {{ ref('stg_tieout__opening_balances') }} as opening
    where opening.account_role = 'MARKETPLACE_CLEARING' and opening.item_kind = 'BALANCE'
    group by opening.marketplace_code, opening.currency_code

),

line_totals as (

    select
        lines.marketplace_code,
        lines.billing_cycle_id,
        cast(sum(case when lines.is_in_net then lines.amount else 0 end) as decimal(18, 2)) as net_amount,
        cast(-sum(
            case when lines.component = 'PAYMENT' and not lines.is_informative then lines.amount end
        ) as decimal(18, 2)) as payment_line_amount,
        cast(sum(
            case when lines.bucket = 'RESERVE' and lines.is_in_net and lines.amount < 0 then -lines.amount else 0 end
        ) as decimal(18, 2)) as reserved_amount,
        cast(sum(
            case when lines.bucket = 'RESERVE' and lines.is_in_net and lines.amount > 0 then lines.amount else 0 end
        ) as decimal(18, 2)) as released_amount,
        count(*) as line_count,
        sum(case when lines.is_in_net and not lines.is_mapped then 1 else 0 end) as unmapped_line_count,
        sum(case when changes.transaction_line_id is not null then 1 else 0 end) as changed_line_count,
        count(distinct case when not lines.is_informative then lines.currency_code end) as currency_count,
        min(case when lines.is_in_net and not lines.is_mapped then lines.transaction_type end) as first_unmapped_type,
        min(changes.transaction_line_id) as first_changed_line_id,
        max(lines.voucher_number) as voucher_number,
        max(lines.document_number) as document_number
    from lines
    left join changes
        on
            lines.marketplace_code = changes.marketplace_code
            and lines.transaction_line_id = changes.transaction_line_id
    group by lines.marketplace_code, lines.billing_cycle_id

),

measured as (

    select
        cycles.marketplace_code,
        cycles.entity_code,
        cycles.shop_id,
        cycles.billing_cycle_id,
        cycles.created_at,
        cycles.cycle_date,
        cycles.currency_code,
        cycles.is_declared,
        cycles.pay_out_state,
        cycles.pay_out_reference,
        cycles.pay_out_date,
        cycles.pay_out_failure_reason,
        coalesce(cycles.voucher_number, line_totals.voucher_number) as voucher_number,
        line_totals.document_number,
        line_totals.first_unmapped_type,
        line_totals.first_changed_line_id,
        coalesce(line_totals.net_amount, 0) as net_amount,
        line_totals.payment_line_amount,
        coalesce(line_totals.reserved_amount, 0) as reserved_amount,
        coalesce(line_totals.released_amount, 0) as released_amount,
        coalesce(line_totals.line_count, 0) as line_count,
        coalesce(line_totals.unmapped_line_count, 0) as unmapped_line_count,
        coalesce(line_totals.changed_line_count, 0) as changed_line_count,
        coalesce(line_totals.currency_count, 0) as currency_count,
        cycles.transferred_to_seller_amount as declared_payout_amount,
        -- Nothing moves while a pay-out has failed; a cycle without a record paid what its payment line says, else nothing.
        case
            when cycles.pay_out_state = 'FAILED' then cast(0 as decimal(18, 2))
            when cycles.is_declared then coalesce(cycles.transferred_to_seller_amount, 0)
            else coalesce(line_totals.payment_line_amount, 0)
        end as payout_amount,
        cycles.cycle_date < marketplaces.go_live_date as is_excluded,
        marketplaces.has_books
    from cycles
    inner join marketplaces
        on cycles.marketplace_code = marketplaces.marketplace_code
    left join line_totals
        on
            cycles.marketplace_code = line_totals.marketplace_code
            and cycles.billing_cycle_id = line_totals.billing_cycle_id

),

ordered as (

    select
        measured.*,
        coalesce(opening_balances.opening_amount, 0) as go_live_amount,
        row_number() over (
            partition by measured.marketplace_code, measured.shop_id, measured.currency_code
            order by measured.created_at, measured.billing_cycle_id
        ) as cycle_number,
        lag(measured.created_at) over (
            partition by measured.marketplace_code, measured.shop_id, measured.currency_code
            order by measured.created_at, measured.billing_cycle_id
        ) as previous_created_at,
        lead(measured.created_at) over (
            partition by measured.marketplace_code, measured.shop_id, measured.currency_code
            order by measured.created_at, measured.billing_cycle_id
        ) as next_created_at,
        coalesce(sum(case when measured.payout_amount > 0 then 1 else 0 end) over (
            partition by measured.marketplace_code, measured.shop_id, measured.currency_code
            order by measured.created_at, measured.billing_cycle_id
            rows between unbounded preceding and 1 preceding
        ), 0) as pay_run,
        coalesce(sum(measured.net_amount - measured.payout_amount) over (
            partition by measured.marketplace_code, measured.shop_id, measured.currency_code
            order by measured.created_at, measured.billing_cycle_id
            rows between unbounded preceding and 1 preceding
        ), 0) as chained_amount
    from measured
    left join opening_balances
        on
            measured.has_books
            and measured.marketplace_code = opening_balances.marketplace_code
            and measured.currency_code = opening_balances.currency_code
    where not measured.is_excluded

),

opened as (

    select
        ordered.*,
        cast(
            coalesce(sum(ordered.net_amount) over (
                partition by ordered.marketplace_code, ordered.shop_id, ordered.currency_code, ordered.pay_run
                order by ordered.cycle_number
                rows between unbounded preceding and 1 preceding
            ), 0)
            + case when ordered.pay_run = 0 then ordered.go_live_amount else 0 end as decimal(18, 2)
        ) as opening_amount,
        cast(ordered.chained_amount + ordered.go_live_amount as decimal(18, 2)) as strict_opening_amount,
        -- The cycle whose pay-out carries this cycle's money: itself, or the next one that pays.
        min(case when ordered.payout_amount > 0 then ordered.cycle_number end) over (
            partition by ordered.marketplace_code, ordered.shop_id, ordered.currency_code
            order by ordered.cycle_number
            rows between current row and unbounded following
        ) as paying_cycle_number
    from ordered

),

measured_breaks as (

    select
        opened.*,
        cast(case
            when opened.payout_amount <= 0 then 0
            else opened.payout_amount - opened.opening_amount - opened.net_amount
        end as decimal(18, 2)) as break_amount
    from opened

),

broken as (

    select
        measured_breaks.*,
        sum(measured_breaks.break_amount) over (
            partition by measured_breaks.marketplace_code, measured_breaks.shop_id, measured_breaks.currency_code
            order by measured_breaks.cycle_number
            rows between unbounded preceding and current row
        ) as total_break_amount
    from measured_breaks

),

gap_totals as (

    -- A break is explained by lines that were never delivered when one gap in the running balance has its amount, or all gaps
    -- until this cycle together have the amount of all breaks until this cycle.
    select
        broken.marketplace_code,
        broken.billing_cycle_id,
        cast(sum(gaps.missing_amount) as decimal(18, 2)) as missing_amount,
        max(case when gaps.missing_amount = broken.break_amount then 1 else 0 end) as has_equal_gap
    from broken
    inner join gaps
        on
            broken.marketplace_code = gaps.marketplace_code
            and broken.shop_id = gaps.shop_id
            and broken.currency_code = gaps.currency_code
            and broken.created_at >= gaps.found_at
    where broken.break_amount <> 0
    group by broken.marketplace_code, broken.billing_cycle_id

),

unassigned_lines as (

    -- Lines that say PAID but name no cycle became so when a cycle took them: between its creation and the next one's.
    select
        broken.marketplace_code,
        broken.billing_cycle_id,
        cast(sum(paid_lines.amount) as decimal(18, 2)) as unassigned_amount,
        min(paid_lines.transaction_line_id) as unassigned_line_id
    from broken
    inner join {{ ref('int_matching__transaction_lines') }} as paid_lines
        on
            broken.marketplace_code = paid_lines.marketplace_code
            and broken.shop_id = paid_lines.shop_id
            and broken.currency_code = paid_lines.currency_code
            and broken.created_at <= paid_lines.updated_at
            and (broken.next_created_at is null or broken.next_created_at > paid_lines.updated_at)
    where
        broken.break_amount <> 0
        and paid_lines.payment_state = 'PAID'
        and paid_lines.billing_cycle_id is null
        and paid_lines.is_in_net
    group by broken.marketplace_code, broken.billing_cycle_id

),

final as (

    select
        broken.marketplace_code,
        broken.entity_code,
        broken.has_books,
        broken.shop_id,
        broken.billing_cycle_id,
        broken.cycle_number,
        broken.created_at,
        broken.cycle_date,
        broken.previous_created_at,
        broken.currency_code,
        broken.is_declared,
        broken.pay_out_state,
        broken.pay_out_reference,
        broken.pay_out_date,
        broken.pay_out_failure_reason,
        broken.voucher_number,
        broken.document_number,
        broken.line_count,
        broken.unmapped_line_count,
        broken.changed_line_count,
        broken.first_unmapped_type,
        broken.first_changed_line_id,
        broken.currency_count,
        broken.reserved_amount,
        broken.released_amount,
        broken.declared_payout_amount,
        broken.payment_line_amount,
        broken.opening_amount,
        broken.net_amount,
        broken.break_amount,
        broken.payout_amount,
        cast(
            broken.opening_amount + broken.net_amount + broken.break_amount - broken.payout_amount as decimal(18, 2)
        ) as closing_amount,
        payers.billing_cycle_id as paying_cycle_id,
        case
            when
                broken.break_amount = 0
                and broken.payment_line_amount is not null
                and broken.pay_out_state <> 'FAILED'
                and broken.payment_line_amount <> broken.payout_amount
                then 'PAY-001'
            -- A pay-out that makes good an earlier break ties to the whole chain, though not to its own run of cycles.
            when
                broken.break_amount = 0
                or broken.payout_amount = broken.strict_opening_amount + broken.net_amount
                then null
            when unassigned_lines.unassigned_amount = broken.break_amount then 'PAY-002'
            when gap_totals.has_equal_gap = 1 or gap_totals.missing_amount = broken.total_break_amount then 'PAY-009'
            when broken.payout_amount = broken.net_amount then 'PAY-003'
            else 'PAY-001'
        end as identity_code,
        case
            when unassigned_lines.unassigned_amount = broken.break_amount then unassigned_lines.unassigned_line_id
        end as unassigned_line_id
    from broken
    left join broken as payers
        on
            broken.marketplace_code = payers.marketplace_code
            and broken.shop_id = payers.shop_id
            and broken.currency_code = payers.currency_code
            and broken.paying_cycle_number = payers.cycle_number
    left join gap_totals
        on
            broken.marketplace_code = gap_totals.marketplace_code
            and broken.billing_cycle_id = gap_totals.billing_cycle_id
    left join unassigned_lines
        on
            broken.marketplace_code = unassigned_lines.marketplace_code
            and broken.billing_cycle_id = unassigned_lines.billing_cycle_id

)

select * from final

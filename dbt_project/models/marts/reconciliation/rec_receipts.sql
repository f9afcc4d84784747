-- Grain: pay-out, or bank receipt, of level e. Each pay-out and each receipt that concerns a marketplace ends in exactly one status.
-- Amounts as at the bank: expected = what was paid out (or allocated), actual = what was received.
with

payouts as (

    select * from {{ ref('int_matching__payouts') }}

),

receipts as (

    select * from {{ ref('int_matching__receipts') }}
    where match_scope not in ('NOT_A_RECEIPT', 'NOT_A_MARKETPLACE')

),

decided as (

    select * from {{ ref('int_matching__receipts_decided') }}

),

receipt_references as (

    select * from {{ ref('int_matching__receipt_references') }}

),

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}

),

payout_totals as (

    select
        decided.marketplace_code,
        decided.billing_cycle_id,
        min(decided.rule_code) as rule_code,
        min(decided.undecided_code) as undecided_code,
        count(*) as receipt_count,
        min(decided.receipt_id) as receipt_id,
        max(case when decided.is_bounded then 1 else 0 end) as is_bounded,
        cast(sum(case when decided.is_decided then decided.cash_amount else 0 end) as decimal(18, 2)) as cash_amount,
        cast(sum(case when decided.is_decided then decided.fee_amount else 0 end) as decimal(18, 2)) as fee_amount,
        cast(
            sum(case when decided.is_decided then decided.excess_amount else 0 end) as decimal(18, 2)
        ) as excess_amount,
        cast(
            sum(case when decided.is_decided then decided.exchange_amount else 0 end) as decimal(18, 2)
        ) as exchange_amount
    from decided
    group by decided.marketplace_code, decided.billing_cycle_id

),

stray_receipts as (

    -- Money that came into another account than agreed explains a pay-out that did not arrive.
    select
        payouts.marketplace_code,
        payouts.billing_cycle_id,
        min(receipts.receipt_id) as receipt_id
    from payouts
    inner join receipts
        on
            payouts.marketplace_code = receipts.marketplace_code
            and payouts.currency_code = receipts.currency_code
            and receipts.match_scope = 'WRONG_ACCOUNT'
    left join receipt_references
        on
            receipts.receipt_id = receipt_references.receipt_id
            and payouts.marketplace_code = receipt_references.marketplace_code
            and payouts.billing_cycle_id = receipt_references.billing_cycle_id
    where
        receipt_references.receipt_id is not null
        or (
            receipts.amount = payouts.payout_amount
            and receipts.value_date >= {{ add_days('payouts.pay_out_date', '-1') }}
            and receipts.value_date <= {{ add_days('payouts.pay_out_date', '7') }}
        )
    group by payouts.marketplace_code, payouts.billing_cycle_id

),

payout_results as (

    select
        payouts.marketplace_code,
        payouts.entity_code,
        payouts.billing_cycle_id,
        payouts.currency_code,
        payouts.payout_amount,
        payouts.pay_out_date,
        coalesce(payout_totals.cash_amount, 0) as cash_amount,
        coalesce(payout_totals.exchange_amount, 0) as exchange_amount,
        payout_totals.receipt_count,
        coalesce(payout_totals.is_bounded, 0) as is_bounded,
        coalesce(payout_totals.receipt_id, stray_receipts.receipt_id) as receipt_id,
        {{ utc_from_local(
            'cast(' ~ add_days('payouts.pay_out_date', '8') ~ ' as timestamp)', 'marketplaces.time_zone'
        ) }} as window_ends_at,
        coalesce(payout_totals.rule_code, 'E900_OPEN') as rule_code,
        case
            when payout_totals.undecided_code is not null then payout_totals.undecided_code
            when payout_totals.fee_amount > 0 then 'BNK-002'
            when payout_totals.excess_amount > 0 then 'BNK-004'
            when payout_totals.cash_amount + payout_totals.exchange_amount < payouts.payout_amount then 'BNK-003'
            when payout_totals.receipt_count > 1 then 'BNK-006'
            when payout_totals.receipt_count = 1 then null
            when stray_receipts.receipt_id is not null then 'BNK-012'
            else 'BNK-001'
        end as fault_code,
        payout_totals.undecided_code is not null
        or (payout_totals.billing_cycle_id is null and stray_receipts.receipt_id is not null) as is_consequence
    from payouts
    inner join marketplaces
        on payouts.marketplace_code = marketplaces.marketplace_code
    left join payout_totals
        on
            payouts.marketplace_code = payout_totals.marketplace_code
            and payouts.billing_cycle_id = payout_totals.billing_cycle_id
    left join stray_receipts
        on
            payouts.marketplace_code = stray_receipts.marketplace_code
            and payouts.billing_cycle_id = stray_receipts.billing_cycle_id

),

receipt_totals as (

    select
        decided.receipt_id,
        min(decided.rule_code) as rule_code,
        min(decided.undecided_code) as undecided_code,
        count(decided.billing_cycle_id) as payout_count,
        max(case when decided.is_bounded then 1 else 0 end) as is_bounded,
        min(decided.billing_cycle_id) as billing_cycle_id,
        cast(sum(case when decided.is_decided then decided.received_amount else 0 end) as decimal(18, 2)) as cash_amount
    from decided
    group by decided.receipt_id

),

receipt_results as (

    select
        receipts.marketplace_code,
        receipts.entity_code,
        receipts.receipt_id,
        receipts.original_receipt_id,
        receipts.currency_code,
        receipts.amount,
        receipts.value_date,
        receipt_totals.billing_cycle_id,
        receipt_totals.payout_count,
        coalesce(receipt_totals.is_bounded, 0) as is_bounded,
        coalesce(receipt_totals.cash_amount, 0) as cash_amount,
        receipts.match_scope,
        case receipts.match_scope
            when 'DUPLICATE' then 'E001_DUPLICATE'
            when 'WRONG_ACCOUNT' then 'E002_ACCOUNT'
            when 'BEFORE_GO_LIVE' then 'E003_GO_LIVE'
            else coalesce(receipt_totals.rule_code, 'E900_OPEN')
        end as rule_code,
        case
            when receipts.match_scope = 'BEFORE_GO_LIVE' then null
            when receipts.match_scope = 'DUPLICATE' then 'BNK-010'
            when receipts.match_scope = 'WRONG_ACCOUNT' then 'BNK-012'
            when receipt_totals.undecided_code is not null then receipt_totals.undecided_code
            when receipt_totals.payout_count > 1 then 'BNK-005'
            when receipt_totals.payout_count = 1 then null
            else 'BNK-007'
        end as fault_code
    from receipts
    left join receipt_totals
        on receipts.receipt_id = receipt_totals.receipt_id

),

final as (

    select
        payout_results.marketplace_code,
        payout_results.entity_code,
        'PAYOUT' as subject_type,
        payout_results.billing_cycle_id as subject_id,
        payout_results.rule_code,
        case
            when payout_results.fault_code is null and payout_results.exchange_amount <> 0
                then 'MATCHED_WITHIN_TOLERANCE'
            when payout_results.fault_code is null then 'MATCHED'
            when payout_results.fault_code = 'BNK-001' and {{ as_of() }} < payout_results.window_ends_at then 'TIMING'
            else 'EXCEPTION'
        end as status,
        case
            when payout_results.fault_code = 'BNK-001' and {{ as_of() }} < payout_results.window_ends_at then null
            else payout_results.fault_code
        end as exception_code,
        payout_results.payout_amount as expected_amount,
        cast(payout_results.cash_amount as decimal(18, 2)) as actual_amount,
        cast(payout_results.cash_amount - payout_results.payout_amount as decimal(18, 2)) as delta_amount,
        cast(abs(payout_results.exchange_amount) as decimal(18, 2)) as tolerance_amount,
        payout_results.currency_code,
        payout_results.billing_cycle_id as left_id,
        payout_results.receipt_id as right_id,
        payout_results.window_ends_at as due_at,
        case when payout_results.is_consequence then 'RECEIPT' end as root_subject_type,
        case when payout_results.is_consequence then payout_results.receipt_id end as root_subject_id,
        case payout_results.fault_code
            when 'BNK-001'
                then
                    case
                        when {{ as_of() }} < payout_results.window_ends_at then 'On its way: pay-out'
                        else 'Late: pay-out'
                    end
                    || ' of ' || cast(payout_results.pay_out_date as varchar) || ' over '
                    || cast(payout_results.payout_amount as varchar) || ' ' || payout_results.currency_code
                    || ' has not been received.'
            when 'BNK-002'
                then
                    'Received ' || cast(payout_results.payout_amount - payout_results.cash_amount as varchar) || ' '
                    || payout_results.currency_code || ' short: what a bank keeps as its fee.'
            when 'BNK-003'
                then
                    'Received ' || cast(payout_results.payout_amount - payout_results.cash_amount as varchar) || ' '
                    || payout_results.currency_code || ' short of the pay-out.'
            when 'BNK-004'
                then
                    'Received ' || cast(payout_results.cash_amount - payout_results.payout_amount as varchar) || ' '
                    || payout_results.currency_code || ' more than the pay-out.'
            when 'BNK-006'
                then 'The pay-out came in ' || cast(payout_results.receipt_count as varchar) || ' receipts.'
            when 'BNK-008' then 'A receipt has the amount of this pay-out but names another one.'
            when 'BNK-009' then 'A receipt of this pay-out was exchanged at a rate beyond the tolerance.'
            when 'BNK-011'
                then
                    case
                        when payout_results.is_bounded = 1
                            then 'More items could be part of it than can be tried in all ways; a person chooses.'
                        else 'Several matches are equally good; a person chooses.'
                    end
            when 'BNK-012' then 'The pay-out seems to have gone to another bank account.'
        end as summary,
        payout_results.billing_cycle_id,
        payout_results.receipt_id,
        payout_results.pay_out_date as subject_date
    from payout_results
    union all
    select
        receipt_results.marketplace_code,
        receipt_results.entity_code,
        'RECEIPT' as subject_type,
        receipt_results.receipt_id as subject_id,
        receipt_results.rule_code,
        case
            when receipt_results.match_scope = 'BEFORE_GO_LIVE' then 'EXCLUDED'
            when receipt_results.fault_code is null then 'MATCHED'
            else 'EXCEPTION'
        end as status,
        receipt_results.fault_code as exception_code,
        cast(receipt_results.cash_amount as decimal(18, 2)) as expected_amount,
        receipt_results.amount as actual_amount,
        cast(receipt_results.amount - receipt_results.cash_amount as decimal(18, 2)) as delta_amount,
        cast(0 as decimal(18, 2)) as tolerance_amount,
        receipt_results.currency_code,
        receipt_results.receipt_id as left_id,
        case
            when receipt_results.match_scope = 'DUPLICATE' then receipt_results.original_receipt_id
            else receipt_results.billing_cycle_id
        end as right_id,
        cast(null as timestamp) as due_at,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        case receipt_results.fault_code
            when 'BNK-005'
                then 'One receipt pays ' || cast(receipt_results.payout_count as varchar) || ' pay-outs.'
            when 'BNK-007'
                then
                    'Received ' || cast(receipt_results.amount as varchar) || ' ' || receipt_results.currency_code
                    || ' from the marketplace without a pay-out that it could be.'
            when 'BNK-008' then 'The text names another pay-out than the amount suggests.'
            when 'BNK-009'
                then
                    'Exchanged on its way at a rate beyond the tolerance, or to a currency without a rate to compare: '
                    || 'ask the bank for its advice and keep its fee and its rate apart.'
            when 'BNK-010'
                then
                    'The bank feed holds this entry twice; the other one is '
                    || receipt_results.original_receipt_id || '.'
            when 'BNK-011'
                then
                    case
                        when receipt_results.is_bounded = 1
                            then 'More items could be part of it than can be tried in all ways; a person chooses.'
                        else 'Several matches are equally good; a person chooses.'
                    end
            when 'BNK-012' then 'Marketplace money arrived in an account that it should not go to.'
        end as summary,
        receipt_results.billing_cycle_id,
        receipt_results.receipt_id,
        receipt_results.value_date as subject_date
    from receipt_results

)

select * from final

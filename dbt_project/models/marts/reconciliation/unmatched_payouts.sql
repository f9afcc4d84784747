-- Grain: pay-out or receipt with a residual: what is missing, for how long, and which items of the other side it could be.
with

results as (

    select * from {{ ref('rec_receipts') }}
    where status in ('EXCEPTION', 'TIMING') and delta_amount <> 0

),

payouts as (

    select * from {{ ref('int_matching__payouts') }}

),

receipts as (

    select * from {{ ref('int_matching__receipts') }}
    where match_scope in ('OPEN', 'WRONG_ACCOUNT')

),

decided as (

    select * from {{ ref('int_matching__receipts_decided') }}
    where is_decided

),

open_receipts as (

    select receipts.*
    from receipts
    left join decided
        on receipts.receipt_id = decided.receipt_id
    where decided.receipt_id is null

),

open_payouts as (

    select payouts.*
    from payouts
    left join decided
        on
            payouts.marketplace_code = decided.marketplace_code
            and payouts.billing_cycle_id = decided.billing_cycle_id
    where decided.receipt_id is null

),

candidates as (

    select
        results.marketplace_code,
        results.subject_type,
        results.subject_id,
        open_receipts.receipt_id as candidate_id,
        abs(open_receipts.amount + results.delta_amount) as distance_amount
    from results
    inner join open_receipts
        on
            results.marketplace_code = open_receipts.marketplace_code
            and results.currency_code = open_receipts.currency_code
    where results.subject_type = 'PAYOUT'
    union all
    select
        results.marketplace_code,
        results.subject_type,
        results.subject_id,
        open_payouts.billing_cycle_id as candidate_id,
        abs(open_payouts.payout_amount - results.delta_amount) as distance_amount
    from results
    inner join open_payouts
        on
            results.marketplace_code = open_payouts.marketplace_code
            and results.currency_code = open_payouts.currency_code
    where results.subject_type = 'RECEIPT'

),

nearest as (

    select
        candidates.*,
        row_number() over (
            partition by candidates.marketplace_code, candidates.subject_type, candidates.subject_id
            order by candidates.distance_amount, candidates.candidate_id
        ) as candidate_number
    from candidates

),

candidate_lists as (

    select
        nearest.marketplace_code,
        nearest.subject_type,
        nearest.subject_id,
        {{ ordered_list('nearest.candidate_id', "', '", 'nearest.candidate_number') }} as candidate_ids
    from nearest
    where nearest.candidate_number <= 3
    group by nearest.marketplace_code, nearest.subject_type, nearest.subject_id

),

final as (

    select
        results.marketplace_code,
        results.entity_code,
        results.subject_type,
        results.subject_id,
        results.status,
        results.exception_code,
        results.expected_amount,
        results.actual_amount,
        results.delta_amount as residual_amount,
        results.currency_code,
        results.subject_date as since_date,
        cast({{ days_between('results.subject_date', 'cast(' ~ as_of() ~ ' as date)') }} as integer) as days_open,
        results.due_at,
        candidate_lists.candidate_ids,
        coalesce(
            results.summary,
            'The pay-out is on its way; the window for its receipt is still open.'
        ) as summary
    from results
    left join candidate_lists
        on
            results.marketplace_code = candidate_lists.marketplace_code
            and results.subject_type = candidate_lists.subject_type
            and results.subject_id = candidate_lists.subject_id

)

select * from final

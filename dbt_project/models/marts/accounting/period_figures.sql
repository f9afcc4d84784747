-- Grain: entity × period × marketplace × figure × currency. A period's figures twice: as they were when it was locked (first closed),
-- and as the records of today give them (restated). CLOSING: balance of a controlled account by the journals; LEDGER: the same per ERP;
-- JOURNALS: what the journals that belong to the period move on a role, whenever they were posted. Ledger view: debit positive.
with

rollforward as (

    select * from {{ ref('clearing_rollforward') }}

),

journals as (

    select * from {{ ref('int_accounting__journals') }}
    where not is_excluded and not is_blocked

),

lines as (

    select * from {{ ref('int_accounting__journal_lines') }}

),

locks as (

    {{ locked_periods() }}

),

closed as (

    select * from {{ ref('stg_tieout__closed_figures') }}

),

present as (

    select
        rollforward.entity_code,
        rollforward.period,
        rollforward.marketplace_code,
        'CLOSING ' || rollforward.account_role as figure_code,
        rollforward.currency_code,
        rollforward.closing_amount as amount
    from rollforward
    union all
    select
        rollforward.entity_code,
        rollforward.period,
        rollforward.marketplace_code,
        'LEDGER ' || rollforward.account_role as figure_code,
        rollforward.currency_code,
        rollforward.erp_closing_amount as amount
    from rollforward
    union all
    select
        journals.entity_code,
        journals.period,
        journals.marketplace_code,
        'JOURNALS ' || lines.account_role as figure_code,
        journals.currency_code,
        cast(sum(lines.debit - lines.credit) as decimal(18, 2)) as amount
    from journals
    inner join lines
        on journals.journal_key = lines.journal_key
    group by
        journals.entity_code, journals.period, journals.marketplace_code, lines.account_role, journals.currency_code

),

paired as (

    -- A figure that one side lacks is nil there.
    select
        unioned.entity_code,
        unioned.period,
        unioned.marketplace_code,
        unioned.figure_code,
        unioned.currency_code,
        cast(sum(unioned.first_closed_amount) as decimal(18, 2)) as first_closed_amount,
        cast(sum(unioned.restated_amount) as decimal(18, 2)) as restated_amount
    from (
        select
            present.entity_code,
            present.period,
            present.marketplace_code,
            present.figure_code,
            present.currency_code,
            cast(0 as decimal(18, 2)) as first_closed_amount,
            present.amount as restated_amount
        from present
        union all
        select
            closed.entity_code,
            closed.period,
            closed.marketplace_code,
            closed.figure_code,
            closed.currency_code,
            closed.amount as first_closed_amount,
            cast(0 as decimal(18, 2)) as restated_amount
        from closed
    ) as unioned
    group by
        unioned.entity_code,
        unioned.period,
        unioned.marketplace_code,
        unioned.figure_code,
        unioned.currency_code

),

final as (

    select
        paired.entity_code,
        paired.period,
        paired.marketplace_code,
        paired.figure_code,
        paired.currency_code,
        case when locks.period is not null then paired.first_closed_amount end as first_closed_amount,
        paired.restated_amount,
        case
            when locks.period is not null
                then cast(paired.restated_amount - paired.first_closed_amount as decimal(18, 2))
            else cast(0 as decimal(18, 2))
        end as difference_amount,
        locks.period is not null as is_locked,
        locks.locked_at
    from paired
    left join locks
        on
            paired.entity_code = locks.entity_code
            and paired.period = locks.period

)

select * from final

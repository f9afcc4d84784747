-- Grain: marketplace × kind of month-end journal × account role × role and code that a VAT belongs to. What the month that ended last
-- still lacks, each accrual with what takes it back on the first day of the next: fees on what has left and is not settled
-- (ORDER_LED), sales and fees that are earned and not settled (SETTLEMENT_LED), and clearing in credit. Nothing is proposed before the
-- third day, when the cycles of the month's end are there. Input VAT is never accrued. net_debit = debit - credit.
{{ config(schema='accounting', materialized='table') }}

with

marketplaces as (

    select
        marketplaces.marketplace_code,
        marketplaces.entity_code,
        marketplaces.currency_code,
        marketplaces.time_zone,
        marketplaces.posting_model,
        {{ previous_month_end('marketplaces.as_of_date') }} as accrual_date,
        {{ month_start('marketplaces.as_of_date') }} as reversal_date
    from {{ ref('int_ledger__marketplaces') }} as marketplaces
    where
        marketplaces.has_books
        and marketplaces.journals_live_from <= {{ previous_month_end('marketplaces.as_of_date') }}
        and not {{ is_early_cycle('marketplaces.as_of_date') }}

),

cycles as (

    select * from {{ ref('int_matching__cycles') }}

),

lines as (

    select
        lines.marketplace_code,
        lines.account_role,
        lines.component,
        lines.bucket,
        lines.order_line_id,
        lines.refund_id,
        lines.line_date,
        lines.amount,
        lines.is_in_net,
        lines.is_mapped,
        lines.is_before_go_live,
        marketplaces.accrual_date,
        coalesce(cycles.cycle_date <= marketplaces.accrual_date, false) as is_settled
    from {{ ref('int_matching__transaction_lines') }} as lines
    inner join marketplaces
        on
            lines.marketplace_code = marketplaces.marketplace_code
            and lines.currency_code = marketplaces.currency_code
    left join cycles
        on
            lines.marketplace_code = cycles.marketplace_code
            and lines.billing_cycle_id = cycles.billing_cycle_id
    where
        marketplaces.posting_model = 'ORDER_LED'
        and lines.bucket in ('FEE', 'FEE_REFUND', 'ADJUSTMENT')

),

commission_roles as (

    select
        marketplaces.marketplace_code,
        min(types.account_role) as account_role
    from marketplaces
    inner join {{ ref('int_ledger__transaction_types') }} as types
        on
            types.transaction_type = 'COMMISSION_FEE'
            and marketplaces.accrual_date >= types.effective_from
            and (types.effective_until is null or marketplaces.accrual_date < types.effective_until)
    where marketplaces.posting_model = 'ORDER_LED'
    group by marketplaces.marketplace_code

),

settled_commissions as (

    select distinct
        lines.marketplace_code,
        lines.order_line_id
    from lines
    where lines.component = 'COMMISSION' and lines.is_settled

),

settled_refunds as (

    select distinct
        lines.marketplace_code,
        lines.refund_id
    from lines
    where lines.component = 'REFUND_COMMISSION' and lines.is_settled

),

-- Revenue is recognised when the goods leave; what is accepted and not sent is not accrued.
dispatched as (

    select
        order_lines.marketplace_code,
        order_lines.order_line_id,
        order_lines.commission_amount - order_lines.cancelled_commission_amount as commission_amount,
        marketplaces.accrual_date
    from {{ ref('int_ledger__order_lines') }} as order_lines
    inner join marketplaces
        on
            order_lines.marketplace_code = marketplaces.marketplace_code
            and order_lines.currency_code = marketplaces.currency_code
    inner join {{ ref('int_ledger__orders') }} as orders
        on
            order_lines.marketplace_code = orders.marketplace_code
            and order_lines.order_id = orders.order_id
    where
        marketplaces.posting_model = 'ORDER_LED'
        and not orders.is_excluded
        and order_lines.shipped_at is not null
        and {{ local_date('order_lines.shipped_at', 'marketplaces.time_zone') }} <= marketplaces.accrual_date

),

fees as (

    select
        dispatched.marketplace_code,
        commission_roles.account_role,
        dispatched.commission_amount as amount
    from dispatched
    inner join commission_roles
        on dispatched.marketplace_code = commission_roles.marketplace_code
    left join settled_commissions
        on
            dispatched.marketplace_code = settled_commissions.marketplace_code
            and dispatched.order_line_id = settled_commissions.order_line_id
    where settled_commissions.order_line_id is null
    union all
    -- Less what the operator gives back on refunds that it has not settled.
    select
        refunds.marketplace_code,
        commission_roles.account_role,
        -refunds.commission_amount as amount
    from {{ ref('int_ledger__refunds') }} as refunds
    inner join marketplaces
        on refunds.marketplace_code = marketplaces.marketplace_code
    inner join dispatched
        on
            refunds.marketplace_code = dispatched.marketplace_code
            and refunds.order_line_id = dispatched.order_line_id
    inner join commission_roles
        on refunds.marketplace_code = commission_roles.marketplace_code
    left join settled_refunds
        on
            refunds.marketplace_code = settled_refunds.marketplace_code
            and refunds.refund_id = settled_refunds.refund_id
    where
        settled_refunds.refund_id is null
        and {{ local_date('refunds.created_at', 'marketplaces.time_zone') }} <= marketplaces.accrual_date
    union all
    -- Other fees are accrued from lines that exist; none is predicted.
    select
        lines.marketplace_code,
        lines.account_role,
        -lines.amount as amount
    from lines
    where
        not lines.is_settled
        and lines.line_date <= lines.accrual_date
        and lines.component not in ('COMMISSION', 'REFUND_COMMISSION')
        and lines.is_in_net
        and lines.is_mapped
        and not lines.is_before_go_live

),

unbilled as (

    select
        settled.marketplace_code,
        -- The sale's VAT is due when its tax point says so; until the settlement it waits beside the return.
        case when settled.account_role = 'OUTPUT_VAT' then 'OUTPUT_VAT_PENDING' else settled.account_role end
            as account_role,
        settled.net_debit
    from {{ ref('int_accounting__settlement_led_lines') }} as settled
    inner join marketplaces
        on
            settled.marketplace_code = marketplaces.marketplace_code
            and settled.currency_code = marketplaces.currency_code
    left join cycles
        on
            settled.marketplace_code = cycles.marketplace_code
            and settled.billing_cycle_id = cycles.billing_cycle_id
    where
        settled.earned_date <= marketplaces.accrual_date
        and settled.account_role not in ('INPUT_VAT', 'SALE_TAX_UNDECIDED', 'UNMAPPED')
        and (
            cycles.cycle_date is null
            or (
                cycles.cycle_date > marketplaces.accrual_date
                and not (
                    {{ is_early_cycle('cycles.cycle_date') }}
                    and {{ month_start('cycles.cycle_date') }} = marketplaces.reversal_date
                )
            )
        )

),

withheld as (

    select distinct cycles.marketplace_code
    from cycles
    inner join marketplaces
        on cycles.marketplace_code = marketplaces.marketplace_code
    where
        cycles.cycle_date <= marketplaces.accrual_date
        and (
            cycles.identity_code is not null
            or cycles.unmapped_line_count > 0
            or cycles.changed_line_count > 0
            or cycles.currency_count > 1
        )

),

-- Clearing at the end of the month, as the roll-forward has it.
cleared as (

    select
        entries.marketplace_code,
        entries.net_debit
    from {{ ref('int_accounting__settlement_entries') }} as entries
    inner join marketplaces
        on
            entries.marketplace_code = marketplaces.marketplace_code
            and entries.currency_code = marketplaces.currency_code
    where entries.account_role = 'MARKETPLACE_CLEARING' and entries.posting_date <= marketplaces.accrual_date
    union all
    select
        entries.marketplace_code,
        entries.net_debit
    from {{ ref('int_accounting__receipt_entries') }} as entries
    inner join marketplaces
        on
            entries.marketplace_code = marketplaces.marketplace_code
            and entries.currency_code = marketplaces.currency_code
    where entries.account_role = 'MARKETPLACE_CLEARING' and entries.posting_date <= marketplaces.accrual_date
    union all
    select
        opening_balances.marketplace_code,
        opening_balances.amount as net_debit
    from {{ ref('stg_tieout__opening_balances') }} as opening_balances
    inner join marketplaces
        on
            opening_balances.marketplace_code = marketplaces.marketplace_code
            and opening_balances.currency_code = marketplaces.currency_code
    where
        opening_balances.account_role = 'MARKETPLACE_CLEARING'
        and opening_balances.as_of_date <= marketplaces.accrual_date

),

in_credit as (

    select
        cleared.marketplace_code,
        sum(cleared.net_debit) as net_debit
    from cleared
    -- A credit that is only a settlement that may not be posted yet is nobody's debt.
    left join withheld
        on cleared.marketplace_code = withheld.marketplace_code
    where withheld.marketplace_code is null
    group by cleared.marketplace_code
    having sum(cleared.net_debit) < 0

),

accrued as (

    select
        fees.marketplace_code,
        'FEE_ACCRUAL' as kind,
        'FEE_ACCRUAL_REVERSAL' as reversal_kind,
        fees.account_role,
        fees.amount as net_debit
    from fees
    union all
    select
        fees.marketplace_code,
        'FEE_ACCRUAL' as kind,
        'FEE_ACCRUAL_REVERSAL' as reversal_kind,
        'ACCRUED_MARKETPLACE_FEES' as account_role,
        -fees.amount as net_debit
    from fees
    union all
    select
        unbilled.marketplace_code,
        'UNBILLED_ACCRUAL' as kind,
        'UNBILLED_REVERSAL' as reversal_kind,
        unbilled.account_role,
        unbilled.net_debit
    from unbilled
    union all
    select
        unbilled.marketplace_code,
        'UNBILLED_ACCRUAL' as kind,
        'UNBILLED_REVERSAL' as reversal_kind,
        'UNBILLED_SETTLEMENT' as account_role,
        -unbilled.net_debit as net_debit
    from unbilled
    union all
    select
        in_credit.marketplace_code,
        'NEGATIVE_BALANCE_RECLASS' as kind,
        'RECLASS_REVERSAL' as reversal_kind,
        'MARKETPLACE_CLEARING' as account_role,
        -in_credit.net_debit as net_debit
    from in_credit
    union all
    select
        in_credit.marketplace_code,
        'NEGATIVE_BALANCE_RECLASS' as kind,
        'RECLASS_REVERSAL' as reversal_kind,
        'DUE_TO_MARKETPLACE' as account_role,
        in_credit.net_debit
    from in_credit

),

summed as (

    select
        accrued.marketplace_code,
        accrued.kind,
        accrued.reversal_kind,
        accrued.account_role,
        cast(sum(accrued.net_debit) as decimal(18, 2)) as net_debit
    from accrued
    group by accrued.marketplace_code, accrued.kind, accrued.reversal_kind, accrued.account_role
    having sum(accrued.net_debit) <> 0

),

turned as (

    select
        summed.marketplace_code,
        summed.kind,
        false as is_reversal,
        summed.account_role,
        summed.net_debit
    from summed
    union all
    select
        summed.marketplace_code,
        summed.reversal_kind as kind,
        true as is_reversal,
        summed.account_role,
        -summed.net_debit as net_debit
    from summed

),

final as (

    select
        marketplaces.entity_code,
        turned.marketplace_code,
        turned.kind,
        {{ period_of('marketplaces.accrual_date') }} as document_id,
        case when turned.is_reversal then marketplaces.reversal_date else marketplaces.accrual_date end as posting_date,
        marketplaces.currency_code,
        turned.account_role,
        cast(null as varchar) as tax_base_role,
        cast(null as varchar) as tax_code,
        'NET' as side,
        cast(turned.net_debit as decimal(18, 2)) as net_debit,
        case turned.account_role when 'MARKETPLACE_CLEARING' then 10 else 40 end as line_group
    from turned
    inner join marketplaces
        on turned.marketplace_code = marketplaces.marketplace_code

)

select * from final

-- Grain: journal of a marketplace that we operate × account role × seller (where the role has a sub-ledger) × role that a VAT belongs
-- to. The mirror of the sellers' own view: a line of amount a credits its seller with a and debits its counter-role
-- (transaction_types.csv). Customers' money is never revenue. One journal per kind and cut of the billing calendar, dated the last day
-- before the cut, or the month's; pay-outs one per day of payment. A cycle that is in doubt has its pay-out and its unknown lines in
-- journals of its own, which wait. Commission is earned when the order line has shipped, until then it is deferred. Sellers in debit
-- at a month's end are receivables, one by one, until the next day. is_due: the day is over; until then nothing is booked.
-- net_debit = debit - credit.
{{ config(schema='accounting', materialized='table') }}

with

marketplaces as (

    select
        marketplaces.marketplace_code,
        marketplaces.entity_code,
        marketplaces.currency_code,
        marketplaces.time_zone,
        marketplaces.cycle_days,
        coalesce(marketplaces.funds_model, 'ON_BALANCE') as funds_model,
        marketplaces.as_of_date
    from {{ ref('int_ledger__marketplaces') }} as marketplaces
    -- Balances in another currency than the books' own have no journals yet.
    where marketplaces.perspective = 'OPERATOR' and marketplaces.currency_code = marketplaces.functional_currency

),

cycles as (

    select
        cycles.marketplace_code,
        cycles.billing_cycle_id,
        cycles.shop_id,
        cycles.currency_code,
        cycles.pay_out_state,
        cycles.payout_amount,
        coalesce(cycles.pay_out_date, cycles.cycle_date) as paid_date,
        cycles.unmapped_line_count > 0
        or cycles.changed_line_count > 0
        or cycles.currency_count > 1
        or cycles.identity_code is not null as is_in_doubt
    from {{ ref('int_matching__cycles') }} as cycles
    inner join marketplaces
        on
            cycles.marketplace_code = marketplaces.marketplace_code
            and cycles.currency_code = marketplaces.currency_code

),

types as (

    select
        types.*,
        base_types.operator_role as base_role
    from {{ ref('int_ledger__transaction_types') }} as types
    left join {{ ref('int_ledger__transaction_types') }} as base_types
        on
            types.tax_of_type = base_types.transaction_type
            and types.effective_from >= base_types.effective_from
            and (base_types.effective_until is null or types.effective_from < base_types.effective_until)

),

lines as (

    select
        lines.marketplace_code,
        lines.shop_id,
        lines.transaction_line_id,
        lines.transaction_type,
        lines.order_line_id,
        lines.line_date,
        lines.amount,
        types.operator_kind,
        types.operator_role,
        -- VAT that we remit for sellers is on what the customer paid.
        case
            when types.operator_role = 'OUTPUT_VAT' and types.is_tax then types.base_role
            when types.operator_role = 'OUTPUT_VAT' then 'PSP_CLEARING'
        end as tax_base_role
    from {{ ref('int_matching__transaction_lines') }} as lines
    inner join marketplaces
        on
            lines.marketplace_code = marketplaces.marketplace_code
            and lines.currency_code = marketplaces.currency_code
    inner join types
        on
            lines.transaction_type = types.transaction_type
            and lines.line_date >= types.effective_from
            and (types.effective_until is null or lines.line_date < types.effective_until)
    where lines.is_in_net and lines.is_mapped and not lines.is_before_go_live

),

funded_lines as (

    -- What the operator pays of a price comes out of the line's first debits.
    select
        ranked.marketplace_code,
        ranked.transaction_line_id,
        greatest(least(ranked.amount, ranked.operator_funded_amount - ranked.earlier_amount), 0) as funded_amount
    from (
        select
            lines.marketplace_code,
            lines.transaction_line_id,
            lines.amount,
            order_lines.operator_funded_amount,
            coalesce(sum(lines.amount) over (
                partition by lines.marketplace_code, lines.order_line_id
                order by lines.line_date, lines.transaction_line_id
                rows between unbounded preceding and 1 preceding
            ), 0) as earlier_amount
        from lines
        inner join {{ ref('int_ledger__order_lines') }} as order_lines
            on
                lines.marketplace_code = order_lines.marketplace_code
                and lines.order_line_id = order_lines.order_line_id
        where lines.transaction_type = 'ORDER_AMOUNT' and order_lines.operator_funded_amount > 0
    ) as ranked

),

shipped as (

    select
        order_lines.marketplace_code,
        order_lines.order_line_id,
        {{ local_date('order_lines.shipped_at', 'marketplaces.time_zone') }} as shipped_date
    from {{ ref('int_ledger__order_lines') }} as order_lines
    inner join marketplaces
        on order_lines.marketplace_code = marketplaces.marketplace_code
    where order_lines.shipped_at is not null

),

summed_lines as (

    select
        lines.marketplace_code,
        lines.shop_id,
        lines.line_date,
        lines.operator_kind,
        lines.operator_role,
        lines.tax_base_role,
        lines.operator_role = 'COMMISSION_REVENUE' and lines.order_line_id is not null as is_deferrable,
        shipped.shipped_date,
        sum(lines.amount) as amount,
        sum(coalesce(funded_lines.funded_amount, 0)) as funded_amount
    from lines
    left join funded_lines
        on
            lines.marketplace_code = funded_lines.marketplace_code
            and lines.transaction_line_id = funded_lines.transaction_line_id
    left join shipped
        on
            lines.operator_role = 'COMMISSION_REVENUE'
            and lines.marketplace_code = shipped.marketplace_code
            and lines.order_line_id = shipped.order_line_id
    group by
        lines.marketplace_code,
        lines.shop_id,
        lines.line_date,
        lines.operator_kind,
        lines.operator_role,
        lines.tax_base_role,
        lines.operator_role = 'COMMISSION_REVENUE' and lines.order_line_id is not null,
        shipped.shipped_date

),

moving_days as (

    select
        summed_lines.marketplace_code,
        summed_lines.line_date as moving_date
    from summed_lines
    union
    select
        summed_lines.marketplace_code,
        summed_lines.shipped_date as moving_date
    from summed_lines
    where summed_lines.shipped_date is not null

),

cut_days as (

    {% for day in range(1, 32) -%}
    select {{ day }} as cut_day
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

-- A window ends on the day before the next cut of the calendar, and with its month.
windows as (

    select
        moving_days.marketplace_code,
        moving_days.moving_date,
        coalesce(
            min({{ add_days(month_start('moving_days.moving_date'), 'cut_days.cut_day - 2') }}),
            {{ month_end('moving_days.moving_date') }}
        ) as posting_date
    from moving_days
    inner join marketplaces
        on moving_days.marketplace_code = marketplaces.marketplace_code
    left join cut_days
        on
            position('|' || cast(cut_days.cut_day as varchar) || '|' in '|' || marketplaces.cycle_days || '|') > 0
            and cut_days.cut_day > cast(substr(cast(moving_days.moving_date as varchar), 9, 2) as integer)
            and {{ add_days(month_start('moving_days.moving_date'), 'cut_days.cut_day - 2') }}
            < {{ month_end('moving_days.moving_date') }}
    group by moving_days.marketplace_code, moving_days.moving_date

),

dated as (

    select
        summed_lines.marketplace_code,
        summed_lines.shop_id,
        summed_lines.operator_kind,
        summed_lines.operator_role,
        summed_lines.tax_base_role,
        summed_lines.amount,
        summed_lines.funded_amount,
        windows.posting_date,
        case when summed_lines.is_deferrable then ship_windows.posting_date end as earned_date,
        summed_lines.is_deferrable
        and coalesce(ship_windows.posting_date > windows.posting_date, true) as is_deferred
    from summed_lines
    inner join windows
        on
            summed_lines.marketplace_code = windows.marketplace_code
            and summed_lines.line_date = windows.moving_date
    left join windows as ship_windows
        on
            summed_lines.marketplace_code = ship_windows.marketplace_code
            and summed_lines.shipped_date = ship_windows.moving_date

),

of_windows as (

    select
        dated.marketplace_code,
        dated.operator_kind as kind,
        dated.posting_date,
        'SELLER_PAYABLE' as account_role,
        dated.shop_id,
        cast(null as varchar) as tax_base_role,
        -dated.amount as net_debit
    from dated
    union all
    select
        dated.marketplace_code,
        dated.operator_kind as kind,
        dated.posting_date,
        case when dated.is_deferred then 'DEFERRED_COMMISSION' else dated.operator_role end as account_role,
        case when dated.operator_role = 'SELLER_RESERVE_PAYABLE' then dated.shop_id end as shop_id,
        dated.tax_base_role,
        dated.amount - dated.funded_amount as net_debit
    from dated
    union all
    select
        dated.marketplace_code,
        dated.operator_kind as kind,
        dated.posting_date,
        'PROMOTION_COST' as account_role,
        cast(null as varchar) as shop_id,
        cast(null as varchar) as tax_base_role,
        dated.funded_amount as net_debit
    from dated
    where dated.funded_amount <> 0
    {% for role, sign in [('operator_role', ''), ("'DEFERRED_COMMISSION'", '-')] -%}
    union all
    select
        dated.marketplace_code,
        'COMMISSION' as kind,
        dated.earned_date as posting_date,
        {{ role if role != 'operator_role' else 'dated.operator_role' }} as account_role,
        cast(null as varchar) as shop_id,
        cast(null as varchar) as tax_base_role,
        {{ sign }}dated.amount as net_debit
    from dated
    where dated.is_deferred and dated.earned_date is not null
    {% endfor %}

),

paid as (

    select
        cycles.marketplace_code,
        cycles.shop_id,
        cycles.paid_date as posting_date,
        case when cycles.is_in_doubt then cycles.billing_cycle_id else cast(cycles.paid_date as varchar) end
            as document_id,
        cycles.is_in_doubt,
        cycles.payout_amount
    from cycles
    inner join marketplaces
        on
            cycles.marketplace_code = marketplaces.marketplace_code
            and marketplaces.funds_model = 'ON_BALANCE'
    where cycles.pay_out_state = 'PAID' and cycles.payout_amount <> 0

),

unknown_lines as (

    select
        lines.marketplace_code,
        lines.shop_id,
        lines.billing_cycle_id,
        max(lines.line_date) as posting_date,
        sum(lines.amount) as amount
    from {{ ref('int_matching__transaction_lines') }} as lines
    inner join marketplaces
        on
            lines.marketplace_code = marketplaces.marketplace_code
            and lines.currency_code = marketplaces.currency_code
    where
        lines.is_in_net
        and not lines.is_mapped
        and not lines.is_before_go_live
        and lines.billing_cycle_id is not null
    group by lines.marketplace_code, lines.shop_id, lines.billing_cycle_id

),

movements as (

    select
        of_windows.marketplace_code,
        of_windows.kind,
        cast(of_windows.posting_date as varchar) as document_id,
        of_windows.posting_date,
        of_windows.account_role,
        of_windows.shop_id,
        of_windows.tax_base_role,
        of_windows.net_debit,
        false as is_in_doubt
    from of_windows
    {% for role, shop, sign in [
        ('SELLER_PAYABLE', 'paid.shop_id', ''), ('BANK', 'cast(null as varchar)', '-')
    ] -%}
    union all
    select
        paid.marketplace_code,
        'SELLER_PAYOUT' as kind,
        paid.document_id,
        paid.posting_date,
        '{{ role }}' as account_role,
        {{ shop }}{{ ' as shop_id' if sign }},
        cast(null as varchar) as tax_base_role,
        {{ sign }}paid.payout_amount as net_debit,
        paid.is_in_doubt
    from paid
    {% endfor -%}
    {% for role, shop, sign in [
        ('SELLER_PAYABLE', 'unknown_lines.shop_id', '-'), ('UNMAPPED', 'cast(null as varchar)', '')
    ] -%}
    union all
    select
        unknown_lines.marketplace_code,
        'SELLER_FEE' as kind,
        unknown_lines.billing_cycle_id as document_id,
        unknown_lines.posting_date,
        '{{ role }}' as account_role,
        {{ shop }}{{ ' as shop_id' if not sign }},
        cast(null as varchar) as tax_base_role,
        {{ sign }}unknown_lines.amount as net_debit,
        true as is_in_doubt
    from unknown_lines
    {% endfor %}

),

-- Only what has ended is booked.
dated_movements as (

    -- What a provider keeps in the sellers' wallets is not on our books: our share of it is due from the provider.
    select
        movements.marketplace_code,
        movements.kind,
        movements.document_id,
        movements.posting_date,
        case
            when marketplaces.funds_model = 'PSP_WALLET' and movements.shop_id is not null then 'PSP_CLEARING'
            else movements.account_role
        end as account_role,
        case when marketplaces.funds_model = 'ON_BALANCE' then movements.shop_id end as shop_id,
        movements.tax_base_role,
        movements.net_debit,
        movements.is_in_doubt,
        movements.posting_date < marketplaces.as_of_date as is_due
    from movements
    inner join marketplaces
        on movements.marketplace_code = marketplaces.marketplace_code

),

month_ends as (

    select distinct
        dated_movements.marketplace_code,
        {{ month_end('dated_movements.posting_date') }} as month_end_date
    from dated_movements
    inner join marketplaces
        on dated_movements.marketplace_code = marketplaces.marketplace_code
    where
        {{ month_end('dated_movements.posting_date') }} < {{ previous_month_end('marketplaces.as_of_date') }}
        or (
            {{ month_end('dated_movements.posting_date') }} = {{ previous_month_end('marketplaces.as_of_date') }}
            and not {{ is_early_cycle('marketplaces.as_of_date') }}
        )

),

monthly as (

    select
        dated_movements.marketplace_code,
        dated_movements.shop_id,
        {{ month_end('dated_movements.posting_date') }} as month_end_date,
        sum(dated_movements.net_debit) as net_debit
    from dated_movements
    where
        dated_movements.account_role = 'SELLER_PAYABLE'
        and dated_movements.is_due
        and not dated_movements.is_in_doubt
    group by dated_movements.marketplace_code, dated_movements.shop_id, {{ month_end('dated_movements.posting_date') }}

),

in_debit as (

    -- Sellers in debit are never netted against those in credit.
    select
        month_ends.marketplace_code,
        monthly.shop_id,
        month_ends.month_end_date,
        sum(monthly.net_debit) as net_debit
    from month_ends
    inner join monthly
        on
            month_ends.marketplace_code = monthly.marketplace_code
            and month_ends.month_end_date >= monthly.month_end_date
    group by month_ends.marketplace_code, monthly.shop_id, month_ends.month_end_date
    having sum(monthly.net_debit) > 0

),

journal_movements as (

    select
        dated_movements.marketplace_code,
        dated_movements.kind,
        dated_movements.document_id,
        dated_movements.posting_date,
        dated_movements.account_role,
        dated_movements.shop_id,
        dated_movements.tax_base_role,
        dated_movements.net_debit,
        dated_movements.is_due
    from dated_movements
    {% for kind, day, role, sign in [
        ('SELLER_DEBIT_RECLASS', 'in_debit.month_end_date', 'SELLER_RECEIVABLE', ''),
        ('SELLER_DEBIT_RECLASS', 'in_debit.month_end_date', 'SELLER_PAYABLE', '-'),
        ('RECLASS_REVERSAL', add_days('in_debit.month_end_date', '1'), 'SELLER_RECEIVABLE', '-'),
        ('RECLASS_REVERSAL', add_days('in_debit.month_end_date', '1'), 'SELLER_PAYABLE', ''),
    ] -%}
    union all
    select
        in_debit.marketplace_code,
        '{{ kind }}' as kind,
        {{ period_of('in_debit.month_end_date') }} as document_id,
        {{ day }} as posting_date,
        '{{ role }}' as account_role,
        in_debit.shop_id,
        cast(null as varchar) as tax_base_role,
        {{ sign }}in_debit.net_debit{{ ' as net_debit' if sign }},
        true as is_due
    from in_debit
    {% endfor %}

),

final as (

    select
        marketplaces.entity_code,
        journal_movements.marketplace_code,
        journal_movements.kind,
        journal_movements.document_id,
        max(journal_movements.posting_date) as posting_date,
        marketplaces.currency_code,
        journal_movements.account_role,
        journal_movements.shop_id,
        journal_movements.tax_base_role,
        journal_movements.is_due,
        cast(sum(journal_movements.net_debit) as decimal(18, 2)) as net_debit
    from journal_movements
    inner join marketplaces
        on journal_movements.marketplace_code = marketplaces.marketplace_code
    group by
        marketplaces.entity_code,
        journal_movements.marketplace_code,
        journal_movements.kind,
        journal_movements.document_id,
        marketplaces.currency_code,
        journal_movements.account_role,
        journal_movements.shop_id,
        journal_movements.tax_base_role,
        journal_movements.is_due
    having sum(journal_movements.net_debit) <> 0

)

select * from final

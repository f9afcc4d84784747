-- Grain: seller of a marketplace that we operate × account role × currency × month. The sub-ledgers of the operator's books: opening +
-- movements = closing, positive = owed to the seller. The sellers of a role add up to its control account. In the newest month
-- beside the marketplace's own balances: closing + what waits (a window that has not ended, a journal that may not be posted) = stated,
-- and a difference is one of the marketplace's statement (CLR-005).
with

journals as (

    select * from {{ ref('int_accounting__journals') }}

),

shops as (

    select
        shops.marketplace_code,
        shops.shop_id,
        min(shops.shop_name) as shop_name
    from {{ ref('int_ledger__shops') }} as shops
    group by shops.marketplace_code, shops.shop_id

),

movements as (

    select
        lines.marketplace_code,
        lines.entity_code,
        lines.shop_id,
        lines.account_role,
        lines.currency_code,
        lines.period,
        case lines.kind when 'CORRECTION' then split_part(lines.document_id, ' ', 1) else lines.kind end as kind,
        case when journals.is_blocked then 0 else lines.credit - lines.debit end as amount,
        case when journals.is_blocked then lines.credit - lines.debit else 0 end as waiting_amount
    from {{ ref('int_accounting__journal_lines') }} as lines
    inner join journals
        on lines.journal_key = journals.journal_key
    where lines.shop_id is not null
    union all
    select
        entries.marketplace_code,
        entries.entity_code,
        entries.shop_id,
        entries.account_role,
        entries.currency_code,
        {{ period_of('entries.posting_date') }} as period,
        entries.kind,
        0 as amount,
        -entries.net_debit as waiting_amount
    from {{ ref('int_accounting__operator_entries') }} as entries
    where entries.shop_id is not null and not entries.is_due
    {% for role, sign, condition in [
        ('SELLER_PAYABLE', '', ''), ('SELLER_RESERVE_PAYABLE', '-', " and lines.bucket = 'RESERVE'")
    ] -%}
    union all
    -- What was owed before the books began.
    select
        lines.marketplace_code,
        lines.entity_code,
        lines.shop_id,
        '{{ role }}' as account_role,
        lines.currency_code,
        {{ period_of('marketplaces.go_live_date') }} as period,
        'OPENING' as kind,
        {{ sign }}lines.amount{{ ' as amount' if sign }},
        0 as waiting_amount
    from {{ ref('int_matching__transaction_lines') }} as lines
    inner join {{ ref('int_ledger__marketplaces') }} as marketplaces
        on lines.marketplace_code = marketplaces.marketplace_code
    where
        marketplaces.perspective = 'OPERATOR'
        and marketplaces.currency_code = lines.currency_code
        and lines.is_before_go_live
        and not lines.is_informative{{ condition }}
    {% endfor %}

),

sums as (

    select
        movements.marketplace_code,
        movements.entity_code,
        movements.shop_id,
        movements.account_role,
        movements.currency_code,
        movements.period,
        sum(case when movements.kind = 'OPENING' then movements.amount else 0 end) as before_amount,
        sum(case when movements.kind = 'CUSTOMER_DEBIT' then movements.amount else 0 end) as customer_debit_amount,
        sum(case when movements.kind = 'COMMISSION' then movements.amount else 0 end) as commission_amount,
        sum(case when movements.kind = 'REFUND' then movements.amount else 0 end) as refund_amount,
        sum(case when movements.kind in ('SUBSCRIPTION', 'SELLER_FEE') then movements.amount else 0 end) as fee_amount,
        sum(case when movements.kind = 'SELLER_RESERVE' then movements.amount else 0 end) as reserve_amount,
        sum(case when movements.kind = 'SELLER_PAYOUT' then movements.amount else 0 end) as payout_amount,
        sum(
            case
                when movements.kind in ('SELLER_DEBIT_RECLASS', 'RECLASS_REVERSAL') then movements.amount else 0
            end
        ) as reclass_amount,
        sum(movements.amount) as amount,
        sum(movements.waiting_amount) as waiting_amount
    from movements
    group by
        movements.marketplace_code,
        movements.entity_code,
        movements.shop_id,
        movements.account_role,
        movements.currency_code,
        movements.period

),

spine as (

    -- A month without movements of its own still has a balance.
    select
        sub_ledgers.*,
        periods.period
    from (
        select
            sums.marketplace_code,
            sums.entity_code,
            sums.shop_id,
            sums.account_role,
            sums.currency_code,
            min(sums.period) as first_period
        from sums
        group by sums.marketplace_code, sums.entity_code, sums.shop_id, sums.account_role, sums.currency_code
    ) as sub_ledgers
    inner join (
        select distinct
            sums.marketplace_code,
            sums.period
        from sums
    ) as periods
        on
            sub_ledgers.marketplace_code = periods.marketplace_code
            and sub_ledgers.first_period <= periods.period

),

running as (

    select
        spine.*,
        sums.before_amount,
        sums.customer_debit_amount,
        sums.commission_amount,
        sums.refund_amount,
        sums.fee_amount,
        sums.reserve_amount,
        sums.payout_amount,
        sums.reclass_amount,
        sums.amount,
        sum(coalesce(sums.amount, 0)) over until_now as closing_amount,
        sum(coalesce(sums.waiting_amount, 0)) over until_now as waiting_amount,
        row_number() over (
            partition by spine.marketplace_code, spine.shop_id, spine.account_role, spine.currency_code
            order by spine.period desc
        ) = 1 as is_newest
    from spine
    left join sums
        on
            spine.marketplace_code = sums.marketplace_code
            and spine.shop_id = sums.shop_id
            and spine.account_role = sums.account_role
            and spine.currency_code = sums.currency_code
            and spine.period = sums.period
    window until_now as (
        partition by spine.marketplace_code, spine.shop_id, spine.account_role, spine.currency_code
        order by spine.period
        rows between unbounded preceding and current row
    )

),

stated as (

    select
        balances.marketplace_code,
        balances.shop_id,
        balances.currency_code,
        'SELLER_PAYABLE' as account_role,
        balances.pending_amount + balances.payable_amount as stated_amount
    from {{ ref('int_matching__shop_balances') }} as balances
    union all
    select
        balances.marketplace_code,
        balances.shop_id,
        balances.currency_code,
        'SELLER_RESERVE_PAYABLE' as account_role,
        balances.reserve_amount as stated_amount
    from {{ ref('int_matching__shop_balances') }} as balances

),

final as (

    select
        running.marketplace_code,
        running.entity_code,
        running.shop_id,
        shops.shop_name,
        running.account_role,
        running.currency_code,
        running.period,
        running.is_newest,
        cast(
            running.closing_amount - coalesce(running.amount, 0) + coalesce(running.before_amount, 0)
            as decimal(18, 2)
        ) as opening_amount,
        {% for column in [
            'customer_debit', 'commission', 'refund', 'fee', 'reserve', 'payout', 'reclass'
        ] -%}
        cast(coalesce(running.{{ column }}_amount, 0) as decimal(18, 2)) as {{ column }}_amount,
        {% endfor -%}
        cast(running.closing_amount as decimal(18, 2)) as closing_amount,
        cast(running.waiting_amount as decimal(18, 2)) as waiting_amount,
        case when running.is_newest then cast(stated.stated_amount as decimal(18, 2)) end as stated_amount,
        case
            when running.is_newest
                then cast(
                    running.closing_amount + running.waiting_amount - stated.stated_amount as decimal(18, 2)
                )
        end as difference_amount
    from running
    left join stated
        on
            running.marketplace_code = stated.marketplace_code
            and running.shop_id = stated.shop_id
            and running.currency_code = stated.currency_code
            and running.account_role = stated.account_role
    left join shops
        on
            running.marketplace_code = shops.marketplace_code
            and running.shop_id = shops.shop_id

)

select * from final

-- Grain: settlement line of a SETTLEMENT_LED marketplace × its net or its VAT. What the line moves beside clearing, and on which day it
-- is earned or owed: a sale and its commission on the later of the line's date and the dispatch (empty until then), a refund and any
-- other fee on the line's date. VAT is taken out of what a customer paid per order line and component, cumulatively, so that the last
-- refund takes the remainder. A sale whose tax nobody knows gets the role SALE_TAX_UNDECIDED, which blocks. net_debit = debit - credit.
{{ config(schema='accounting', materialized='table') }}

with

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}
    where has_books and posting_model = 'SETTLEMENT_LED'

),

account_roles as (

    select * from {{ ref('stg_tieout__account_roles') }}

),

types as (

    select * from {{ ref('int_ledger__transaction_types') }}

),

sold_lines as (

    -- What the books know of the sale's tax: the order's own role before the item's class.
    select
        order_lines.marketplace_code,
        order_lines.order_line_id,
        {{ local_date('order_lines.shipped_at', 'marketplaces.time_zone') }} as dispatch_date,
        coalesce(sale_taxes.has_tax_lines, false) as has_tax_lines,
        coalesce(sale_taxes.sale_tax_code, items.tax_code) as tax_code,
        coalesce(sale_taxes.sale_tax_rate_percent, items.tax_rate_percent) as rate_percent
    from {{ ref('int_ledger__order_lines') }} as order_lines
    inner join marketplaces
        on order_lines.marketplace_code = marketplaces.marketplace_code
    left join {{ ref('int_matching__sale_taxes') }} as sale_taxes
        on
            order_lines.marketplace_code = sale_taxes.marketplace_code
            and order_lines.order_id = sale_taxes.order_id
    left join {{ ref('int_ledger__items') }} as items
        on
            marketplaces.erp_code = items.erp_code
            and order_lines.item_code = items.item_code

),

lines as (

    select
        lines.marketplace_code,
        lines.entity_code,
        lines.transaction_line_id,
        lines.transaction_type,
        lines.billing_cycle_id,
        lines.order_id,
        lines.order_line_id,
        lines.refund_id,
        lines.currency_code,
        lines.created_at,
        lines.line_date,
        lines.amount,
        case when lines.is_mapped then coalesce(lines.account_role, 'UNMAPPED') else 'UNMAPPED' end as account_role,
        base_types.settlement_led_role as base_role,
        coalesce(
            lines.account_role in ('REVENUE_GOODS', 'REVENUE_SHIPPING', 'SALES_RETURNS', 'SHIPPING_REFUNDS'), false
        ) as is_trade,
        sold_lines.tax_code,
        sold_lines.rate_percent,
        coalesce(sold_lines.has_tax_lines, false) as has_tax_lines,
        case
            when lines.order_line_id is null or lines.refund_id is not null then lines.line_date
            else greatest(lines.line_date, sold_lines.dispatch_date)
        end as known_date,
        -- Nothing is earned by an order that nobody has delivered yet, nor by a line that has not left.
        lines.order_line_id is not null
        and (
            sold_lines.order_line_id is null or (lines.refund_id is null and sold_lines.dispatch_date is null)
        ) as is_undispatched
    from {{ ref('int_matching__transaction_lines') }} as lines
    inner join marketplaces
        on lines.marketplace_code = marketplaces.marketplace_code
    left join types as base_types
        on
            lines.tax_of_type = base_types.transaction_type
            and lines.line_date >= base_types.effective_from
            and (base_types.effective_until is null or lines.line_date < base_types.effective_until)
    left join sold_lines
        on
            lines.marketplace_code = sold_lines.marketplace_code
            and lines.order_line_id = sold_lines.order_line_id
    where lines.is_in_net

),

running as (

    select
        lines.*,
        sum(lines.amount) over (
            partition by lines.marketplace_code, lines.order_line_id, lines.transaction_type
            order by lines.created_at, lines.transaction_line_id
            rows between unbounded preceding and current row
        ) as amount_until_now
    from lines

),

taxed as (

    select
        running.*,
        case
            when not running.is_trade or running.has_tax_lines then cast(0 as decimal(18, 2))
            else
                cast(
                    {{ tax_in_gross('running.amount_until_now', 'coalesce(running.rate_percent, 0)') }}
                    - {{ tax_in_gross(
                        '(running.amount_until_now - running.amount)', 'coalesce(running.rate_percent, 0)'
                    ) }}
                    as decimal(18, 2)
                )
        end as tax_amount,
        account_roles.account_type
    from running
    left join account_roles
        on running.account_role = account_roles.account_role

),

entries as (

    select
        taxed.*,
        case
            when taxed.is_trade and taxed.rate_percent is null and not taxed.has_tax_lines then 'SALE_TAX_UNDECIDED'
            else taxed.account_role
        end as entry_role,
        case when taxed.account_type = 'VAT' then taxed.base_role end as tax_base_role,
        case when taxed.is_trade or taxed.account_role = 'OUTPUT_VAT' then taxed.tax_code end as entry_tax_code,
        taxed.tax_amount - taxed.amount as net_debit
    from taxed
    union all
    select
        taxed.*,
        'OUTPUT_VAT' as entry_role,
        taxed.account_role as tax_base_role,
        taxed.tax_code as entry_tax_code,
        -taxed.tax_amount as net_debit
    from taxed
    where taxed.tax_amount <> 0

),

final as (

    select
        entries.marketplace_code,
        entries.entity_code,
        entries.transaction_line_id,
        entries.billing_cycle_id,
        entries.order_id,
        entries.currency_code,
        entries.line_date,
        case when not entries.is_undispatched then entries.known_date end as earned_date,
        entries.entry_role as account_role,
        entries.tax_base_role,
        entries.entry_tax_code as tax_code,
        cast(entries.net_debit as decimal(18, 2)) as net_debit
    from entries
    where entries.net_debit <> 0

)

select * from final

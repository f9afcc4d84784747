-- Grain: order line. What the marketplace should settle for it beside what its transaction lines say, component by component, in
-- the marketplace's view (sales positive, commission negative). Lines that repeat another movement are left out of the sums
-- and reported on their own.
with

orders as {{ inlined() }} (

    select * from {{ ref('int_ledger__orders') }}

),

order_lines as {{ inlined() }} (

    select * from {{ ref('int_ledger__order_lines') }}

),

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}

),

entities as (

    select * from {{ ref('stg_tieout__entities') }}

),

calendar as (

    select * from {{ ref('int_matching__cycle_calendar') }}

),

lines as (

    select * from {{ ref('int_matching__transaction_lines') }}
    where
        not is_informative
        and order_line_id is not null
        and component in ('GOODS', 'SHIPPING', 'COMMISSION', 'COMMISSION_VAT', 'REFUND_GOODS', 'REFUND_SHIPPING')

),

contracts as (

    select * from {{ ref('stg_tieout__commission_contracts') }}

),

duplicates as (

    select * from {{ ref('int_matching__duplicate_lines') }}

),

settled as (

    select
        lines.marketplace_code,
        lines.order_line_id,
        sum(case when lines.component = 'GOODS' and duplicates.transaction_line_id is null then lines.amount end)
            as goods_amount,
        sum(case when lines.component = 'SHIPPING' and duplicates.transaction_line_id is null then lines.amount end)
            as shipping_amount,
        sum(case when lines.component = 'COMMISSION' and duplicates.transaction_line_id is null then lines.amount end)
            as commission_amount,
        sum(
            case
                when lines.component = 'COMMISSION_VAT' and duplicates.transaction_line_id is null then lines.amount
            end
        ) as commission_vat_amount,
        sum(case when lines.component = 'REFUND_GOODS' then lines.amount end) as refund_goods_amount,
        count(case when lines.component = 'GOODS' then 1 end) as goods_line_count,
        count(case when lines.component in ('SHIPPING', 'COMMISSION', 'COMMISSION_VAT') then 1 end) as other_line_count,
        count(case when lines.component = 'GOODS' and lines.billing_cycle_id is null then 1 end)
            as unsettled_line_count,
        min(case when lines.component = 'GOODS' then lines.billing_cycle_id end) as billing_cycle_id,
        min(case when lines.component = 'GOODS' then lines.transaction_line_id end) as goods_line_id,
        min(case when lines.component = 'SHIPPING' then lines.transaction_line_id end) as shipping_line_id,
        min(case when lines.component = 'COMMISSION' then lines.transaction_line_id end) as commission_line_id,
        min(case when lines.component = 'COMMISSION_VAT' then lines.transaction_line_id end) as commission_vat_line_id
    from lines
    left join duplicates
        on
            lines.marketplace_code = duplicates.marketplace_code
            and lines.transaction_line_id = duplicates.transaction_line_id
    group by lines.marketplace_code, lines.order_line_id

),

dated_contracts as (

    -- Until the next one of the same category takes its place.
    select
        contracts.*,
        lead(contracts.effective_from) over (
            partition by contracts.marketplace_code, contracts.category_code
            order by contracts.effective_from
        ) as effective_until
    from contracts

),

contract_choices as (

    -- The category's own contract comes before the one for all.
    select
        order_lines.marketplace_code,
        order_lines.order_line_id,
        case when own.category_code is not null then own.base else general.base end as base,
        case when own.category_code is not null then own.rate_percent else general.rate_percent end as rate_percent,
        coalesce(
            case when own.category_code is not null then own.fixed_amount else general.fixed_amount end, 0
        ) as fixed_amount,
        case when own.category_code is not null then own.minimum_amount else general.minimum_amount end
            as minimum_amount,
        case when own.category_code is not null then own.maximum_amount else general.maximum_amount end
            as maximum_amount,
        coalesce(
            case when own.category_code is not null then own.vat_percent else general.vat_percent end, 0
        ) as vat_percent
    from order_lines
    inner join orders
        on
            order_lines.marketplace_code = orders.marketplace_code
            and order_lines.order_id = orders.order_id
    left join dated_contracts as own
        on
            order_lines.marketplace_code = own.marketplace_code
            and order_lines.category_code = own.category_code
            and own.category_code <> '*'
            and orders.order_date >= own.effective_from
            and (own.effective_until is null or orders.order_date < own.effective_until)
    left join dated_contracts as general
        on
            order_lines.marketplace_code = general.marketplace_code
            and general.category_code = '*'
            and orders.order_date >= general.effective_from
            and (general.effective_until is null or orders.order_date < general.effective_until)
    where own.category_code is not null or general.category_code is not null

),

measured as (

    select
        order_lines.marketplace_code,
        order_lines.entity_code,
        orders.shop_id,
        order_lines.order_id,
        order_lines.order_line_id,
        order_lines.currency_code,
        order_lines.line_state,
        order_lines.shipped_at,
        order_lines.received_at,
        orders.has_incident,
        orders.is_excluded,
        orders.order_date,
        coalesce(order_lines.operator_funded_amount, 0) as operator_funded_amount,
        -- A line that was cancelled or refused as a whole has nothing to settle.
        order_lines.is_cancelled
        or (order_lines.price_amount > 0 and order_lines.cancelled_amount >= order_lines.price_amount) as is_cancelled,
        order_lines.price_amount - coalesce(order_lines.cancelled_amount, 0)
        + case
            when orders.tax_mode = 'TAX_EXCLUDED'
                then coalesce(order_lines.tax_amount, 0) - coalesce(order_lines.cancelled_tax_amount, 0)
            else 0
        end as goods_amount,
        order_lines.shipping_amount - coalesce(order_lines.cancelled_shipping_amount, 0)
        + case
            when orders.tax_mode = 'TAX_EXCLUDED'
                then
                    coalesce(order_lines.shipping_tax_amount, 0)
                    - coalesce(order_lines.cancelled_shipping_tax_amount, 0)
            else 0
        end as shipping_amount,
        coalesce(order_lines.commission_amount, 0) - coalesce(order_lines.cancelled_commission_amount, 0)
            as commission_amount,
        coalesce(order_lines.commission_vat_amount, 0) - coalesce(order_lines.cancelled_commission_vat_amount, 0)
            as commission_vat_amount,
        order_lines.commission_amount as order_commission_amount,
        contract_choices.vat_percent,
        contract_choices.base as contract_base,
        -- Whole order line before cancelations, as the order's own commission field is.
        case
            when contract_choices.order_line_id is null then null
            else least(
                greatest(
                    {{ tax_on_net(
                        "(order_lines.price_amount + case when contract_choices.base = 'PRICE_PLUS_SHIPPING' then"
                        " order_lines.shipping_amount else 0 end)",
                        'contract_choices.rate_percent'
                    ) }} + contract_choices.fixed_amount,
                    coalesce(contract_choices.minimum_amount, 0)
                ),
                coalesce(contract_choices.maximum_amount, 9999999999999)
            )
        end as contract_commission_amount,
        marketplaces.settlement_grace_days,
        entities.time_zone,
        case
            when order_lines.received_at is not null
                then {{ local_date('order_lines.received_at', 'entities.time_zone') }}
            when order_lines.shipped_at is not null
                then {{ add_days(
                    local_date('order_lines.shipped_at', 'entities.time_zone'), 'marketplaces.auto_receive_days'
                ) }}
        end as payable_date
    from order_lines
    inner join orders
        on
            order_lines.marketplace_code = orders.marketplace_code
            and order_lines.order_id = orders.order_id
    inner join marketplaces
        on order_lines.marketplace_code = marketplaces.marketplace_code
    inner join entities
        on order_lines.entity_code = entities.entity_code
    left join contract_choices
        on
            order_lines.marketplace_code = contract_choices.marketplace_code
            and order_lines.order_line_id = contract_choices.order_line_id

),

final as (

    select
        measured.marketplace_code,
        measured.entity_code,
        measured.shop_id,
        measured.order_id,
        measured.order_line_id,
        measured.currency_code,
        measured.line_state,
        measured.order_date,
        measured.has_incident,
        measured.is_excluded,
        measured.is_cancelled,
        measured.operator_funded_amount,
        measured.payable_date,
        case
            when calendar.next_cut_date is not null and not measured.has_incident
                then {{ utc_from_local(
                    "cast(" ~ add_days(
                        add_business_days('calendar.next_cut_date', 'measured.settlement_grace_days'), '1'
                    ) ~ " as timestamp)",
                    'measured.time_zone'
                ) }}
        end as due_at,
        cast(case when measured.is_cancelled then 0 else measured.goods_amount end as decimal(18, 2))
            as expected_goods_amount,
        cast(case when measured.is_cancelled then 0 else measured.shipping_amount end as decimal(18, 2))
            as expected_shipping_amount,
        cast(case when measured.is_cancelled then 0 else -measured.commission_amount end as decimal(18, 2))
            as expected_commission_amount,
        -- VAT follows the commission that was charged, so a wrong commission is not reported a second time as wrong VAT.
        -- Without a contract the order's own VAT is all there is to compare with.
        cast(case
            when measured.is_cancelled then 0
            when measured.vat_percent is null then -measured.commission_vat_amount
            else {{ tax_on_net('coalesce(settled.commission_amount, 0)', 'measured.vat_percent') }}
        end as decimal(18, 2)) as expected_commission_vat_amount,
        cast(-measured.contract_commission_amount as decimal(18, 2)) as contract_commission_amount,
        cast(-measured.order_commission_amount as decimal(18, 2)) as order_commission_amount,
        cast(coalesce(settled.goods_amount, 0) as decimal(18, 2)) as settled_goods_amount,
        cast(coalesce(settled.shipping_amount, 0) as decimal(18, 2)) as settled_shipping_amount,
        cast(coalesce(settled.commission_amount, 0) as decimal(18, 2)) as settled_commission_amount,
        cast(coalesce(settled.commission_vat_amount, 0) as decimal(18, 2)) as settled_commission_vat_amount,
        cast(coalesce(settled.refund_goods_amount, 0) as decimal(18, 2)) as settled_refund_goods_amount,
        coalesce(settled.goods_line_count, 0) as goods_line_count,
        coalesce(settled.other_line_count, 0) as other_line_count,
        coalesce(settled.unsettled_line_count, 0) as unsettled_line_count,
        settled.billing_cycle_id,
        settled.goods_line_id,
        settled.shipping_line_id,
        settled.commission_line_id,
        settled.commission_vat_line_id
    from measured
    left join calendar
        on
            measured.marketplace_code = calendar.marketplace_code
            and measured.payable_date = calendar.calendar_date
    left join settled
        on
            measured.marketplace_code = settled.marketplace_code
            and measured.order_line_id = settled.order_line_id

)

select * from final

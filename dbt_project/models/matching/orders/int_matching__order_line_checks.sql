-- One row per order line and rule of level a: the line itself (there, absent, cancelled), its quantity, price and tax.
-- Amounts tax included, in the order's currency. Lines of an order that is not in the ERP name that order as their root.
{{ config(materialized='view') }}

with pairs as {{ inlined() }} (
    select * from {{ ref('int_matching__order_pairs') }}
),

line_pairs as (
    select * from {{ ref('int_matching__order_line_pairs') }}
),

order_lines as (
    select * from {{ ref('int_ledger__order_lines') }}
),

order_checks as (
    select * from {{ ref('int_matching__order_checks') }}
),

tolerances as (
    select * from {{ ref('int_ledger__tolerances') }}
),

-- Lines of orders without an ERP order share the order's status; an exception is a consequence of the missing order.
lines_of_missing as (
    select
        order_lines.marketplace_code,
        pairs.entity_code,
        pairs.document_no,
        pairs.currency_code,
        order_lines.order_id,
        order_lines.order_line_id,
        cast(null as varchar) as right_id,
        'LINE_IN_ERP' as rule_code,
        case when order_lines.is_cancelled then 'EXCLUDED' else order_checks.status end as status,
        'ORD-004' as exception_code,
        order_lines.price_amount - order_lines.cancelled_amount as expected_amount,
        0 as actual_amount,
        0 as tolerance_amount,
        order_lines.quantity - order_lines.cancelled_quantity as expected_quantity,
        0 as actual_quantity,
        order_lines.item_code as expected_value,
        cast(null as varchar) as actual_value,
        order_checks.due_at,
        true as is_consequence,
        'line ' || order_lines.order_line_id || ' is missing because its order is' as summary
    from order_lines
    inner join order_checks
        on
            order_lines.marketplace_code = order_checks.marketplace_code
            and order_lines.order_id = order_checks.order_id
            and order_checks.rule_code = 'ORDER_IN_ERP'
            and order_checks.status <> 'MATCHED'
    inner join pairs
        on
            order_lines.marketplace_code = pairs.marketplace_code
            and order_lines.order_id = pairs.order_id
),

judged as (
    select
        line_pairs.*,
        pairs.is_order_cancelled,
        pairs.is_erp_cancelled,
        pairs.has_cancelations,
        -- What has touched the order since does not give an old cancelation more time.
        least(pairs.sync_due_at, line_pairs.cancelation_due_at) as sync_due_at,
        pairs.currency_code <> coalesce(pairs.erp_currency_code, '') as is_currency_different,
        coalesce(price_tolerance.amount, 0) as price_tolerance,
        coalesce(price_tolerance.amount_cap, price_tolerance.amount * 5, 0) as price_tolerance_cap,
        coalesce(tax_tolerance.amount, 0) as tax_tolerance,
        coalesce(tax_tolerance.amount_cap, tax_tolerance.amount * 10, 0) as tax_tolerance_cap,
        -- The price that belongs to the quantity in the ERP, so that a wrong quantity is not reported as a wrong price too.
        case
            when line_pairs.due_quantity > 0 and line_pairs.due_quantity <> line_pairs.erp_quantity
                then cast(cast({{ round_ratio(
                    'cast(round(line_pairs.due_amount * 100) as bigint)'
                    ~ ' * cast(round(line_pairs.erp_quantity * 10000) as bigint)',
                    'cast(round(line_pairs.due_quantity * 10000) as bigint)'
                ) }} as decimal(18, 2)) * 0.01 as decimal(18, 2))
            else line_pairs.due_amount
        end as price_amount,
        coalesce(line_pairs.erp_tax_code <> line_pairs.item_tax_code, false) as is_tax_code_different
    from line_pairs
    inner join pairs
        on
            line_pairs.marketplace_code = pairs.marketplace_code
            and line_pairs.order_id = pairs.order_id
    left join tolerances as price_tolerance
        on
            price_tolerance.test_code = 'ORDER_PRICE'
            and pairs.currency_code = price_tolerance.currency_code
            and pairs.order_date >= price_tolerance.effective_from
            and (price_tolerance.effective_until is null or pairs.order_date < price_tolerance.effective_until)
    left join tolerances as tax_tolerance
        on
            tax_tolerance.test_code = 'ORDER_TAX'
            and pairs.currency_code = tax_tolerance.currency_code
            and pairs.order_date >= tax_tolerance.effective_from
            and (tax_tolerance.effective_until is null or pairs.order_date < tax_tolerance.effective_until)
),

-- An order that was given up at the marketplace is one finding (ORD-013); its lines are not compared.
existence as (
    select
        marketplace_code,
        entity_code,
        document_no,
        currency_code,
        order_id,
        order_line_id,
        erp_order_line_id as right_id,
        'LINE_IN_ERP' as rule_code,
        case
            when is_order_cancelled then 'EXCLUDED'
            when is_in_marketplace and is_cancelled and (erp_quantity = 0 or is_erp_cancelled) then 'MATCHED'
            when is_in_marketplace and is_cancelled and {{ as_of() }} <= sync_due_at then 'TIMING'
            when is_in_marketplace and is_cancelled then 'EXCEPTION'
            when is_in_marketplace and due_quantity = 0 and not is_in_erp then 'MATCHED'
            when is_in_marketplace and is_in_erp and not is_item_different then 'MATCHED'
            when not is_in_marketplace and erp_quantity = 0 then 'MATCHED'
            else 'EXCEPTION'
        end as status,
        case when is_in_marketplace and is_cancelled then 'ORD-014' else 'ORD-004' end as exception_code,
        due_amount as expected_amount,
        case when is_in_marketplace and is_in_erp and not is_cancelled then due_amount else erp_gross_amount end
            as actual_amount,
        0 as tolerance_amount,
        due_quantity as expected_quantity,
        erp_quantity as actual_quantity,
        item_code as expected_value,
        erp_item_code as actual_value,
        sync_due_at as due_at,
        false as is_consequence,
        case
            when is_in_marketplace and is_in_erp and not is_item_different and not is_cancelled then null
            when is_cancelled
                then
                    'line ' || order_line_id || ' was cancelled at the marketplace, but is open or invoiced in '
                    || 'ERP order ' || document_no
            when not is_in_erp
                then
                    'line ' || order_line_id || ' (' || coalesce(item_code, 'no item') || ') is not on ERP order '
                    || document_no
            when not is_in_marketplace
                then
                    'ERP order ' || document_no || ' has a line of ' || coalesce(erp_item_code, 'no item')
                    || ' that order ' || order_id || ' does not have'
            else
                'line ' || order_line_id || ' sells ' || coalesce(item_code, 'no item') || ', ERP order '
                || document_no || ' holds ' || coalesce(erp_item_code, 'no item')
        end as summary
    from judged
),

compared as {{ inlined() }} (
    select * from judged
    where
        is_in_marketplace
        and is_in_erp
        and not is_cancelled
        and not is_order_cancelled
        and not is_erp_cancelled
),

quantity as (
    select
        marketplace_code,
        entity_code,
        document_no,
        currency_code,
        order_id,
        order_line_id,
        erp_order_line_id as right_id,
        'LINE_QUANTITY' as rule_code,
        case
            when due_quantity = erp_quantity then 'MATCHED'
            when has_cancelations and {{ as_of() }} <= sync_due_at then 'TIMING'
            else 'EXCEPTION'
        end as status,
        'ORD-005' as exception_code,
        due_amount as expected_amount,
        price_amount as actual_amount,
        cast(null as decimal(18, 2)) as tolerance_amount,
        due_quantity as expected_quantity,
        erp_quantity as actual_quantity,
        cast(null as varchar) as expected_value,
        cast(null as varchar) as actual_value,
        sync_due_at as due_at,
        false as is_consequence,
        case
            when due_quantity = erp_quantity then null
            else
                'line ' || order_line_id || ': quantity ' || {{ whole_number('due_quantity') }}
                || ' after cancelations, ' || {{ whole_number('erp_quantity') }} || ' in ERP order ' || document_no
        end as summary
    from compared
),

-- The gross amount counts; with a wrong tax code the net amount may show that the price itself is right.
price_deltas as {{ inlined() }} (
    select
        compared.*,
        case
            when
                not coalesce(
                    compared.is_tax_code_different
                    and compared.erp_net_amount = compared.price_amount
                    - {{ tax_in_gross('compared.price_amount', 'compared.item_tax_rate_percent') }},
                    false
                )
                then compared.erp_gross_amount
            else compared.price_amount
        end as compared_amount
    from compared
),

-- Pennies are forgiven one by one and up to a cap per order.
forgiven as (
    select
        marketplace_code,
        order_id,
        sum(abs(compared_amount - price_amount)) as forgiven_in_order
    from price_deltas
    where compared_amount <> price_amount and abs(compared_amount - price_amount) <= price_tolerance
    group by marketplace_code, order_id
),

price_sums as {{ inlined() }} (
    select
        price_deltas.*,
        coalesce(forgiven.forgiven_in_order, 0) as forgiven_in_order
    from price_deltas
    left join forgiven
        on
            price_deltas.marketplace_code = forgiven.marketplace_code
            and price_deltas.order_id = forgiven.order_id
),

price as (
    select
        marketplace_code,
        entity_code,
        document_no,
        currency_code,
        order_id,
        order_line_id,
        erp_order_line_id as right_id,
        'LINE_PRICE' as rule_code,
        case
            when compared_amount = price_amount then 'MATCHED'
            when abs(compared_amount - price_amount) <= price_tolerance and forgiven_in_order <= price_tolerance_cap
                then 'MATCHED_WITHIN_TOLERANCE'
            else 'EXCEPTION'
        end as status,
        'ORD-006' as exception_code,
        price_amount as expected_amount,
        compared_amount as actual_amount,
        price_tolerance as tolerance_amount,
        cast(null as decimal(18, 4)) as expected_quantity,
        cast(null as decimal(18, 4)) as actual_quantity,
        cast(null as varchar) as expected_value,
        cast(null as varchar) as actual_value,
        cast(null as timestamp) as due_at,
        is_currency_different as is_consequence,
        case
            when compared_amount = price_amount then null
            else
                'line ' || order_line_id || ' costs ' || cast(price_amount as varchar) || ' at the marketplace, '
                || cast(compared_amount as varchar) || ' in ERP order ' || document_no
        end as summary
    from price_sums
),

-- The item decides the tax code; the amount is recomputed from the ERP's own gross amount at the item's rate.
tax_deltas as (
    select
        compared.*,
        {{ tax_in_gross('compared.erp_gross_amount', 'compared.item_tax_rate_percent') }} as computed_tax_amount,
        least(compared.tax_tolerance * compared.erp_line_count, compared.tax_tolerance_cap) as allowed_amount
    from compared
    where
        compared.item_tax_code is not null
        and not compared.is_item_different
),

tax as (
    select
        marketplace_code,
        entity_code,
        document_no,
        currency_code,
        order_id,
        order_line_id,
        erp_order_line_id as right_id,
        'LINE_TAX' as rule_code,
        case
            when is_tax_code_different or erp_tax_code is null then 'EXCEPTION'
            when erp_tax_amount = computed_tax_amount then 'MATCHED'
            when abs(erp_tax_amount - computed_tax_amount) <= allowed_amount then 'MATCHED_WITHIN_TOLERANCE'
            else 'EXCEPTION'
        end as status,
        case
            when sale_tax_role = 'MKT_COLLECTED' and erp_tax_amount <> 0 then 'TAX-001'
            when sale_tax_role is not null then 'TAX-002'
            else 'ORD-008'
        end as exception_code,
        computed_tax_amount as expected_amount,
        erp_tax_amount as actual_amount,
        allowed_amount as tolerance_amount,
        cast(null as decimal(18, 4)) as expected_quantity,
        cast(null as decimal(18, 4)) as actual_quantity,
        item_tax_code as expected_value,
        erp_tax_code as actual_value,
        cast(null as timestamp) as due_at,
        is_currency_different as is_consequence,
        case
            when not is_tax_code_different and erp_tax_code is not null and erp_tax_amount = computed_tax_amount
                then null
            else
                case sale_tax_role when 'MKT_COLLECTED' then 'the marketplace collects the tax: ' else '' end
                || 'line ' || order_line_id || ' of item ' || item_code || ' should carry tax code ' || item_tax_code
                || ' and ' || cast(computed_tax_amount as varchar) || ' tax, ERP order ' || document_no || ' has code '
                || coalesce(erp_tax_code, 'mixed or none') || ' and ' || cast(erp_tax_amount as varchar)
        end as summary
    from tax_deltas
),

checks as (
    select * from lines_of_missing
    union all
    select * from existence
    union all
    select * from quantity
    union all
    select * from price
    union all
    select * from tax
),

final as (
    select
        checks.marketplace_code,
        checks.entity_code,
        checks.order_id,
        checks.order_line_id,
        checks.right_id,
        checks.document_no,
        checks.currency_code,
        checks.rule_code,
        checks.status,
        case when checks.status = 'EXCEPTION' then checks.exception_code end as exception_code,
        {{ money('checks.expected_amount') }} as expected_amount,
        {{ money('checks.actual_amount') }} as actual_amount,
        {{ money('checks.tolerance_amount') }} as tolerance_amount,
        cast(checks.expected_quantity as decimal(18, 4)) as expected_quantity,
        cast(checks.actual_quantity as decimal(18, 4)) as actual_quantity,
        checks.expected_value,
        checks.actual_value,
        checks.due_at,
        checks.status = 'EXCEPTION' and checks.is_consequence as is_consequence,
        case when checks.status in ('EXCEPTION', 'TIMING') then checks.summary end as summary
    from checks
)

select * from final

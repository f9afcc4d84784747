-- One row per marketplace order and rule of level a. Amounts in the order's currency, as the marketplace counts.
-- A missing order has no other findings than that; its lines follow in int_matching__order_line_checks.
-- Sentences are put together for those rows only that may need one: most orders match, and texts cost most of it.
-- A view: the lines ask for one rule of it only, and to judge that again is cheaper than to write all rules down between.
{{ config(materialized='view') }}

with pairs as {{ inlined() }} (
    select * from {{ ref('int_matching__order_pairs') }}
),

status_rules as (
    select * from {{ ref('int_matching__order_status_rules') }}
),

tolerances as (
    select * from {{ ref('int_ledger__tolerances') }}
),

line_pairs as (
    select * from {{ ref('int_matching__order_line_pairs') }}
),

-- What the customer still pays for shipping: goods lines that were not refused or cancelled, less cancelled parts.
shipping_due as (
    select
        order_lines.marketplace_code,
        order_lines.order_id,
        sum(
            order_lines.shipping_amount - order_lines.cancelled_shipping_amount
            + case
                when pairs.tax_sign <> 0
                    then
                        pairs.tax_sign
                        * (order_lines.shipping_tax_amount - order_lines.cancelled_shipping_tax_amount)
                else 0
            end
        ) as due_amount
    from {{ ref('int_ledger__order_lines') }} as order_lines
    inner join pairs
        on
            order_lines.marketplace_code = pairs.marketplace_code
            and order_lines.order_id = pairs.order_id
    group by order_lines.marketplace_code, order_lines.order_id
),

charges as (
    select
        erp_code,
        erp_order_id,
        sum(net_amount) as net_amount,
        sum(gross_amount) as gross_amount
    from {{ ref('int_ledger__erp_order_lines') }}
    where line_kind = 'CHARGE'
    group by erp_code, erp_order_id
),

analysed_lines as (
    select
        marketplace_code,
        order_id,
        sum(case when is_paired_by_item then 1 else 0 end) as nameless_count,
        sum(case when is_analysed and vat_analysis_code is null then 1 else 0 end) as unmapped_count,
        min(case
            when is_analysed and vat_analysis_code is null then coalesce(sale_tax_role, 'tax code ' || item_tax_code)
        end)
            as unmapped_as,
        sum(case when is_code_different then 1 else 0 end) as different_count,
        min(case when is_code_different then vat_analysis_code end) as wanted_code,
        min(case when is_code_different then erp_vat_analysis_code end) as held_code
    from (
        select
            line_pairs.*,
            line_pairs.is_analysed and line_pairs.vat_analysis_code <> coalesce(line_pairs.erp_vat_analysis_code, '')
                as is_code_different
        from line_pairs
    ) as coded
    group by marketplace_code, order_id
),

-- What our own import may not or could not do.
imports as (
    select * from {{ ref('int_matching__order_imports') }}
    where obstacle is not null
),

created as (
    select
        marketplace_code,
        natural_id,
        sum(case when is_live then 1 else 0 end) as live_count,
        max(case when state = 'FAILED' then detail end) as refusal
    from {{ ref('int_ledger__outbox_actions') }}
    where kind = 'SALES_ORDER'
    group by marketplace_code, natural_id
),

judged as (
    select
        pairs.*,
        -- An order of our import is live from the start: no call of Sage 200 puts it on hold. Nothing of it is allocated.
        status_rules.order_state is not null
        or (
            pairs.order_state in ('WAITING_ACCEPTANCE', 'WAITING_DEBIT', 'WAITING_DEBIT_PAYMENT')
            and pairs.erp_status = 'LIVE'
            and coalesce(created.live_count, 0) > 0
        ) as is_status_compatible,
        imports.obstacle is not null or (created.refusal is not null and created.live_count = 0) as is_blocked,
        case
            when imports.obstacle is not null
                then
                    case imports.fault_side
                        when 'ERP_DATA' then ': data of the ERP, '
                        when 'OFFER_SETUP' then ': set-up of the offer, '
                        else ': configuration, '
                    end || imports.obstacle_words
            when created.refusal is not null and created.live_count = 0 then ': the ERP refuses it, ' || created.refusal
            else ''
        end as obstacle_words,
        {{ money('coalesce(shipping_due.due_amount, 0)') }} as shipping_due_amount,
        -- Tax that does not belong on the sale is the goods lines' finding.
        {{ money(
            'coalesce(case when pairs.sale_tax_role is null then charges.gross_amount else charges.net_amount end, 0)'
        ) }}
            as charge_amount,
        coalesce(tolerances.amount, 0) as shipping_tolerance,
        coalesce(analysed_lines.nameless_count, 0) as nameless_count,
        coalesce(analysed_lines.unmapped_count, 0) as unmapped_count,
        analysed_lines.unmapped_as,
        coalesce(analysed_lines.different_count, 0) as different_count,
        analysed_lines.wanted_code,
        analysed_lines.held_code,
        {{ as_of() }} as as_of
    from pairs
    left join status_rules
        on
            pairs.order_state = status_rules.order_state
            and pairs.erp_status = status_rules.erp_status
    left join imports
        on
            pairs.marketplace_code = imports.marketplace_code
            and pairs.order_id = imports.order_id
    left join created
        on
            pairs.marketplace_code = created.marketplace_code
            and pairs.order_id = created.natural_id
    left join shipping_due
        on
            pairs.marketplace_code = shipping_due.marketplace_code
            and pairs.order_id = shipping_due.order_id
    left join charges
        on
            pairs.erp_code = charges.erp_code
            and pairs.erp_order_id = charges.erp_order_id
    left join tolerances
        on
            tolerances.test_code = 'ORDER_SHIPPING'
            and pairs.currency_code = tolerances.currency_code
            and pairs.order_date >= tolerances.effective_from
            and (tolerances.effective_until is null or pairs.order_date < tolerances.effective_until)
    left join analysed_lines
        on
            pairs.marketplace_code = analysed_lines.marketplace_code
            and pairs.order_id = analysed_lines.order_id
),

compared as {{ inlined() }} (
    select * from judged
    where
        erp_order_id is not null
        and not is_excluded
),

existence as (
    select
        marketplace_code,
        entity_code,
        order_id,
        document_no,
        currency_code,
        'ORDER_IN_ERP' as rule_code,
        case
            when is_excluded then 'EXCLUDED'
            when erp_order_id is not null then 'MATCHED'
            when is_order_cancelled then 'EXCLUDED'
            -- What is kept out by its data does not come by waiting.
            when order_state = 'STAGING' or (as_of <= import_due_at and not is_blocked) then 'TIMING'
            else 'EXCEPTION'
        end as status,
        'ORD-001' as exception_code,
        total_amount as expected_amount,
        case when erp_order_id is not null then total_amount else 0 end as actual_amount,
        0 as tolerance_amount,
        order_state as expected_value,
        document_no as actual_value,
        import_due_at as due_at,
        case
            when erp_order_id is null
                then 'order ' || order_id || ' (' || order_state || ') is not in the ERP' || obstacle_words
        end as summary
    from judged
),

duplicates as (
    select
        marketplace_code,
        entity_code,
        order_id,
        document_no,
        currency_code,
        'ORDER_ONCE_IN_ERP' as rule_code,
        case when live_copy_count > 1 then 'EXCEPTION' else 'MATCHED' end as status,
        'ORD-003' as exception_code,
        erp_gross_amount as expected_amount,
        case when live_copy_count > 1 then erp_live_gross_amount else erp_gross_amount end as actual_amount,
        null as tolerance_amount,
        '1' as expected_value,
        cast(live_copy_count as varchar) as actual_value,
        cast(null as timestamp) as due_at,
        case
            when live_copy_count > 1
                then
                    'order ' || order_id || ' is live ' || cast(live_copy_count as varchar) || ' times in the ERP: '
                    || document_no || ' and ' || last_document_no
        end as summary
    from compared
),

shipping as (
    select
        marketplace_code,
        entity_code,
        order_id,
        document_no,
        currency_code,
        'SHIPPING_AMOUNT' as rule_code,
        case
            when charge_amount = shipping_due_amount then 'MATCHED'
            when abs(charge_amount - shipping_due_amount) <= shipping_tolerance then 'MATCHED_WITHIN_TOLERANCE'
            when has_cancelations and as_of <= sync_due_at then 'TIMING'
            else 'EXCEPTION'
        end as status,
        'ORD-007' as exception_code,
        shipping_due_amount as expected_amount,
        charge_amount as actual_amount,
        shipping_tolerance as tolerance_amount,
        null as expected_value,
        null as actual_value,
        sync_due_at as due_at,
        case
            when charge_amount <> shipping_due_amount
                then
                    'shipping of order ' || order_id || ' is ' || cast(shipping_due_amount as varchar)
                    || ' at the marketplace, ' || cast(charge_amount as varchar) || ' in ERP order ' || document_no
        end as summary
    from compared
    where not is_order_cancelled
),

currency as (
    select
        marketplace_code,
        entity_code,
        order_id,
        document_no,
        currency_code,
        'CURRENCY' as rule_code,
        case when currency_code = erp_currency_code then 'MATCHED' else 'EXCEPTION' end as status,
        'ORD-009' as exception_code,
        null as expected_amount,
        null as actual_amount,
        null as tolerance_amount,
        currency_code as expected_value,
        erp_currency_code as actual_value,
        cast(null as timestamp) as due_at,
        case
            when currency_code = erp_currency_code then null
            else
                'order ' || order_id || ' is in ' || currency_code || ', ERP order ' || document_no || ' in '
                || coalesce(erp_currency_code, 'no currency')
        end as summary
    from compared
),

-- ORD-013 for an order that the marketplace gave up, ORD-010 for any other pair of states that cannot stand beside each
-- other. A short delay is normal: a fresh despatch or cancelation needs its time to cross.
state as (
    select
        marketplace_code,
        entity_code,
        order_id,
        document_no,
        currency_code,
        'ORDER_STATUS' as rule_code,
        case
            when is_status_compatible then 'MATCHED'
            when order_state = 'STAGING' or as_of <= sync_due_at then 'TIMING'
            else 'EXCEPTION'
        end as status,
        case when is_order_cancelled then 'ORD-013' else 'ORD-010' end as exception_code,
        case when is_order_cancelled then 0 else total_amount end as expected_amount,
        case
            when is_status_compatible and is_order_cancelled then 0
            when is_status_compatible then total_amount
            when is_order_cancelled then erp_gross_amount
            else 0
        end as actual_amount,
        null as tolerance_amount,
        order_state as expected_value,
        erp_status as actual_value,
        sync_due_at as due_at,
        case
            when is_status_compatible then null
            else
                'order ' || order_id || ' is ' || order_state || ' at the marketplace, but ' || erp_status
                || ' in ERP order ' || document_no
                || case
                    when not is_order_cancelled then ''
                    when erp_status in ('LIVE', 'ON_HOLD') then ': stop the despatch, it can still be cancelled'
                    else ': goods have left, it cannot be cancelled any more'
                end
        end as summary
    from compared
),

customer as (
    select
        marketplace_code,
        entity_code,
        order_id,
        document_no,
        currency_code,
        'CUSTOMER_ACCOUNT' as rule_code,
        case when expected_customer_reference = erp_customer_reference then 'MATCHED' else 'EXCEPTION' end as status,
        'ORD-011' as exception_code,
        null as expected_amount,
        null as actual_amount,
        null as tolerance_amount,
        expected_customer_reference as expected_value,
        erp_customer_reference as actual_value,
        cast(null as timestamp) as due_at,
        case
            when expected_customer_reference = erp_customer_reference then null
            else
                'ERP order ' || document_no || ' of marketplace order ' || order_id || ' is on customer account '
                || coalesce(erp_customer_reference, 'unknown') || ', not ' || expected_customer_reference
        end as summary
    from compared
),

acceptance as (
    select
        marketplace_code,
        entity_code,
        order_id,
        document_no,
        currency_code,
        'ACCEPTANCE_DEADLINE' as rule_code,
        case when as_of >= acceptance_risk_at then 'EXCEPTION' else 'TIMING' end as status,
        'ORD-012' as exception_code,
        total_amount as expected_amount,
        case when as_of >= acceptance_risk_at then 0 else total_amount end as actual_amount,
        null as tolerance_amount,
        null as expected_value,
        order_state as actual_value,
        acceptance_due_at as due_at,
        'order ' || order_id || ' waits for acceptance; the operator refuses it at '
        || substr(cast(acceptance_due_at as varchar), 1, 16) || ' UTC'
        || case when erp_order_id is null then obstacle_words else '' end as summary
    from judged
    where
        order_state = 'WAITING_ACCEPTANCE'
        and not is_excluded
),

analysis as (
    select
        marketplace_code,
        entity_code,
        order_id,
        document_no,
        currency_code,
        'ANALYSIS_CODES' as rule_code,
        case when is_marked then 'MATCHED' else 'EXCEPTION' end as status,
        'ORD-015' as exception_code,
        null as expected_amount,
        null as actual_amount,
        null as tolerance_amount,
        marketplace_code as expected_value,
        erp_analysis_marketplace_code as actual_value,
        cast(null as timestamp) as due_at,
        case
            when is_marked then null
            else
                'ERP order ' || document_no || ' of marketplace order ' || order_id || ' carries analysis code '
                || coalesce(erp_analysis_marketplace_code, 'none') || '; '
                || cast(nameless_count as varchar) || ' of its lines name no marketplace line'
                || case
                    when unmapped_count = 0 then ''
                    else
                        '; analysis_codes.csv has no row for ' || cast(unmapped_count as varchar)
                        || ' of its lines, sold to ' || coalesce(ship_to_country, 'no country')
                        || coalesce(' ' || ship_to_state, '') || ' as ' || coalesce(unmapped_as, 'nothing')
                end
                || case
                    when different_count = 0 then ''
                    else
                        '; ' || cast(different_count as varchar) || ' of its lines carry VAT analysis code '
                        || coalesce(held_code, 'none') || ', the map says ' || wanted_code
                end
        end as summary
    from (
        select
            compared.*,
            coalesce(compared.erp_analysis_marketplace_code = compared.marketplace_code, false)
            and compared.nameless_count = 0
            and compared.unmapped_count = 0
            and compared.different_count = 0 as is_marked
        from compared
    ) as marked
),

checks as (
    select * from existence
    union all
    select * from duplicates
    union all
    select * from shipping
    union all
    select * from currency
    union all
    select * from state
    union all
    select * from customer
    union all
    select * from acceptance
    union all
    select * from analysis
),

final as (
    select
        marketplace_code,
        entity_code,
        order_id,
        document_no,
        currency_code,
        rule_code,
        status,
        case when status = 'EXCEPTION' then exception_code end as exception_code,
        {{ money('expected_amount') }} as expected_amount,
        {{ money('actual_amount') }} as actual_amount,
        {{ money('tolerance_amount') }} as tolerance_amount,
        expected_value,
        actual_value,
        due_at,
        case when status in ('EXCEPTION', 'TIMING') then summary end as summary
    from checks
)

select * from final

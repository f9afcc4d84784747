-- Grain: operator's document × rule of level d (INV-001: billing cycle × rule). What the operator's invoices charge beside the fee
-- lines of their cycle, what they say was paid beside the pay-out, whom they are made out to, and whether the books have them. As
-- the operator counts: a charge is positive.
with

cycles as (

    select * from {{ ref('int_matching__cycles') }}

),

documents as (

    select * from {{ ref('int_ledger__documents') }}

),

lines as (

    select * from {{ ref('int_ledger__settlement_lines') }}
    where counts_in_net and not is_before_go_live

),

matched_lines as (

    select * from {{ ref('int_matching__transaction_lines') }}
    where is_in_net and billing_cycle_id is not null

),

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}

),

tolerances as (

    select * from {{ ref('int_matching__tolerances') }}

),

shops as (

    select * from {{ ref('int_ledger__shops') }}

),

cycle_calendar as (

    select * from {{ ref('int_matching__cycle_calendar') }}

),

settlements as (

    -- The journals that book a cycle with all its documents; where there are several, the one that is worst off.
    select
        ranked.marketplace_code,
        ranked.billing_cycle_id,
        ranked.journal_key,
        ranked.erp_state,
        ranked.match_status,
        ranked.blocked_subject_type,
        ranked.blocked_subject_id
    from (
        select
            states.*,
            row_number() over (
                partition by states.marketplace_code, states.billing_cycle_id
                order by
                    case states.match_status when 'EXCEPTION' then 0 when 'TIMING' then 1 else 2 end,
                    case states.erp_state when 'ABSENT' then 0 else 1 end,
                    states.journal_key
            ) as choice_number
        from {{ ref('int_matching__journal_states') }} as states
        where states.kind = 'SETTLEMENT'
    ) as ranked
    where ranked.choice_number = 1

),

cycle_fees as (

    select
        matched_lines.marketplace_code,
        matched_lines.billing_cycle_id,
        cast(-sum(
            case when matched_lines.bucket in ('FEE', 'FEE_REFUND') then matched_lines.amount else 0 end
        ) as decimal(18, 2)) as net_amount,
        cast(-sum(
            case when matched_lines.bucket = 'TAX' then matched_lines.amount else 0 end
        ) as decimal(18, 2)) as tax_amount
    from matched_lines
    where matched_lines.fee_type in ('COMMISSION', 'SUBSCRIPTION', 'ORDER_FEE', 'PENALTY')
    group by matched_lines.marketplace_code, matched_lines.billing_cycle_id

),

document_lines as (

    -- Lines of documents that the operator raises by hand; credits and charges are told apart by the document's type.
    select
        lines.marketplace_code,
        lines.document_id,
        cast(abs(sum(case when lines.bucket = 'ADJUSTMENT' then lines.amount else 0 end)) as decimal(18, 2))
            as net_amount,
        cast(abs(sum(case when lines.bucket = 'TAX' then lines.amount else 0 end)) as decimal(18, 2)) as tax_amount
    from lines
    where
        lines.document_id is not null
        and lines.fee_type in ('MANUAL_CREDIT', 'MANUAL_DEBIT')
    group by lines.marketplace_code, lines.document_id

),

numbered as (

    select
        documents.*,
        marketplaces.go_live_date,
        row_number() over (
            partition by documents.marketplace_code, documents.billing_cycle_id, documents.document_type
            order by documents.invoice_id, documents.document_key
        ) as copy_number
    from documents
    inner join marketplaces
        on documents.marketplace_code = marketplaces.marketplace_code
    where coalesce(documents.document_state, '') <> 'DRAFT'

),

automatic as (

    select
        numbered.*,
        cycles.declared_payout_amount,
        cycles.is_declared,
        cycles.identity_code,
        cycles.unassigned_line_id,
        coalesce(cycle_fees.net_amount, 0) as fee_net_amount,
        coalesce(cycle_fees.tax_amount, 0) as fee_tax_amount
    from numbered
    inner join cycles
        on
            numbered.marketplace_code = cycles.marketplace_code
            and numbered.billing_cycle_id = cycles.billing_cycle_id
    left join cycle_fees
        on
            numbered.marketplace_code = cycle_fees.marketplace_code
            and numbered.billing_cycle_id = cycle_fees.billing_cycle_id
    where numbered.document_type = 'AUTO_INVOICE' and numbered.copy_number = 1

),

existence as (

    select
        cycles.marketplace_code,
        cycles.entity_code,
        cycles.shop_id,
        'CYCLE' as subject_type,
        cycles.billing_cycle_id as subject_id,
        'D010_DOCUMENT' as rule_code,
        case
            when automatic.document_key is not null then 'MATCHED'
            when {{ as_of() }} < {{ utc_from_local(
                'cast(' ~ add_days(
                    add_business_days('cycles.cycle_date', 'marketplaces.settlement_grace_days'), '1'
                ) ~ ' as timestamp)',
                'marketplaces.time_zone'
            ) }} then 'TIMING'
            else 'EXCEPTION'
        end as status,
        'INV-001' as fault_code,
        cycle_fees.net_amount as expected_amount,
        case
            when automatic.document_key is not null then cycle_fees.net_amount else cast(0 as decimal(18, 2))
        end as actual_amount,
        cast(0 as decimal(18, 2)) as tolerance_amount,
        cycles.currency_code,
        cycles.billing_cycle_id,
        automatic.document_key,
        cycles.cycle_date as subject_date,
        {{ utc_from_local(
            'cast(' ~ add_days(
                add_business_days('cycles.cycle_date', 'marketplaces.settlement_grace_days'), '1'
            ) ~ ' as timestamp)',
            'marketplaces.time_zone'
        ) }} as due_at,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        'The operator has issued no invoice for the fees of this cycle.' as fault_summary
    from cycles
    inner join cycle_fees
        on
            cycles.marketplace_code = cycle_fees.marketplace_code
            and cycles.billing_cycle_id = cycle_fees.billing_cycle_id
    inner join marketplaces
        on cycles.marketplace_code = marketplaces.marketplace_code
    left join automatic
        on
            cycles.marketplace_code = automatic.marketplace_code
            and cycles.billing_cycle_id = automatic.billing_cycle_id
    where cycle_fees.net_amount <> 0 or cycle_fees.tax_amount <> 0

),

{% set comparisons = [
    ('fees', 'D020_NET', 'INV-002', 'fee_net_amount', 'net_amount', '0',
     'The net of the document is not the fees of its cycle.'),
    ('taxes', 'D030_VAT', 'INV-003', 'fee_tax_amount', 'tax_amount', 'tolerances.document_vat',
     'The VAT of the document is not the VAT lines of its cycle.'),
] -%}
{% for name, rule_code, code, expected, actual, tolerance, summary in comparisons -%}
{{ name }} as (

    -- Lines that were never delivered, or that name no cycle, are missing on our side: a consequence of that finding.
    select
        automatic.marketplace_code,
        automatic.entity_code,
        automatic.shop_id,
        'DOCUMENT' as subject_type,
        automatic.document_key as subject_id,
        '{{ rule_code }}' as rule_code,
        case
            when automatic.{{ actual }} = automatic.{{ expected }} then 'MATCHED'
            when abs(automatic.{{ actual }} - automatic.{{ expected }}) <= {{ tolerance }}
                then 'MATCHED_WITHIN_TOLERANCE'
            else 'EXCEPTION'
        end as status,
        '{{ code }}' as fault_code,
        automatic.{{ expected }} as expected_amount,
        automatic.{{ actual }} as actual_amount,
        cast({{ tolerance }} as decimal(18, 2)) as tolerance_amount,
        automatic.currency_code,
        automatic.billing_cycle_id,
        automatic.document_key,
        automatic.document_date as subject_date,
        cast(null as timestamp) as due_at,
        case automatic.identity_code when 'PAY-009' then 'CYCLE' when 'PAY-002' then 'TRANSACTION_LINE' end
            as root_subject_type,
        case automatic.identity_code
            when 'PAY-009' then automatic.billing_cycle_id
            when 'PAY-002' then automatic.unassigned_line_id
        end as root_subject_id,
        '{{ summary }}' as fault_summary
    from automatic
    inner join tolerances
        on automatic.currency_code = tolerances.currency_code

),

{% endfor -%}
transfers as (

    select
        automatic.marketplace_code,
        automatic.entity_code,
        automatic.shop_id,
        'DOCUMENT' as subject_type,
        automatic.document_key as subject_id,
        'D040_TRANSFER' as rule_code,
        case
            when automatic.transferred_amount = automatic.declared_payout_amount then 'MATCHED' else 'EXCEPTION'
        end as status,
        'INV-004' as fault_code,
        automatic.declared_payout_amount as expected_amount,
        automatic.transferred_amount as actual_amount,
        cast(0 as decimal(18, 2)) as tolerance_amount,
        automatic.currency_code,
        automatic.billing_cycle_id,
        automatic.document_key,
        automatic.document_date as subject_date,
        cast(null as timestamp) as due_at,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        'The document and the cycle disagree on what was transferred to the seller.' as fault_summary
    from automatic
    where automatic.is_declared and automatic.transferred_amount is not null

),

copies as (

    select
        numbered.marketplace_code,
        numbered.entity_code,
        numbered.shop_id,
        'DOCUMENT' as subject_type,
        numbered.document_key as subject_id,
        'D050_ONCE' as rule_code,
        case when numbered.document_date < numbered.go_live_date then 'EXCLUDED' else 'EXCEPTION' end as status,
        'INV-006' as fault_code,
        cast(0 as decimal(18, 2)) as expected_amount,
        numbered.gross_amount as actual_amount,
        cast(0 as decimal(18, 2)) as tolerance_amount,
        numbered.currency_code,
        numbered.billing_cycle_id,
        numbered.document_key,
        numbered.document_date as subject_date,
        cast(null as timestamp) as due_at,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        'The cycle has an automatic invoice already.' as fault_summary
    from numbered
    where
        numbered.document_type = 'AUTO_INVOICE'
        and numbered.billing_cycle_id is not null
        and numbered.copy_number > 1

),

by_hand as (

    -- Their lines name them once a cycle has taken them.
    select
        numbered.marketplace_code,
        numbered.entity_code,
        numbered.shop_id,
        'DOCUMENT' as subject_type,
        numbered.document_key as subject_id,
        'D060_BY_HAND' as rule_code,
        case
            when document_lines.document_id is null and numbered.document_date < numbered.go_live_date then 'EXCLUDED'
            when document_lines.document_id is null then 'TIMING'
            when
                abs(numbered.net_amount) = document_lines.net_amount
                and abs(numbered.tax_amount) = document_lines.tax_amount
                then 'MATCHED'
            when
                abs(numbered.net_amount) = document_lines.net_amount
                and abs(abs(numbered.tax_amount) - document_lines.tax_amount) <= tolerances.document_vat
                then 'MATCHED_WITHIN_TOLERANCE'
            else 'EXCEPTION'
        end as status,
        case when abs(numbered.net_amount) = document_lines.net_amount then 'INV-003' else 'INV-002' end as fault_code,
        cast(coalesce(document_lines.net_amount + document_lines.tax_amount, 0) as decimal(18, 2)) as expected_amount,
        cast(abs(numbered.gross_amount) as decimal(18, 2)) as actual_amount,
        tolerances.document_vat as tolerance_amount,
        numbered.currency_code,
        numbered.billing_cycle_id,
        numbered.document_key,
        numbered.document_date as subject_date,
        cast(null as timestamp) as due_at,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        'The lines of this document are not what it says.' as fault_summary
    from numbered
    inner join tolerances
        on numbered.currency_code = tolerances.currency_code
    left join document_lines
        on
            numbered.marketplace_code = document_lines.marketplace_code
            and numbered.document_key = document_lines.document_id
    where numbered.document_type in ('MANUAL_CREDIT', 'MANUAL_INVOICE')

),

billed as (

    -- Numbers are written with and without blanks and the country's letters. A document without one states nothing wrong.
    select
        numbered.*,
        shops.legal_name,
        shops.tax_number,
        translate(upper(numbered.billed_tax_number), ' .-/', '') as billed_digits,
        translate(upper(shops.tax_number), ' .-/', '') as own_digits,
        translate(lower(numbered.billed_name), ' .,-''', '') as billed_letters,
        translate(lower(shops.legal_name), ' .,-''', '') as own_letters
    from numbered
    inner join shops
        on
            numbered.marketplace_code = shops.marketplace_code
            and numbered.shop_id = shops.shop_id

),

judged_recipients as (

    select
        billed.*,
        coalesce(billed.billed_letters <> billed.own_letters, false)
        or coalesce(
            billed.billed_digits <> billed.own_digits
            and billed.billed_digits <> substr(billed.own_digits, 3)
            and billed.own_digits <> substr(billed.billed_digits, 3),
            false
        ) as is_somebody_else
    from billed

),

recipients as (

    select
        billed.marketplace_code,
        billed.entity_code,
        billed.shop_id,
        'DOCUMENT' as subject_type,
        billed.document_key as subject_id,
        'D070_RECIPIENT' as rule_code,
        case
            when billed.document_date < billed.go_live_date then 'EXCLUDED'
            when billed.is_somebody_else then 'EXCEPTION'
            else 'MATCHED'
        end as status,
        'INV-007' as fault_code,
        -- What is at stake is the VAT that can be recovered.
        billed.tax_amount as expected_amount,
        case when billed.is_somebody_else then cast(0 as decimal(18, 2)) else billed.tax_amount end as actual_amount,
        cast(0 as decimal(18, 2)) as tolerance_amount,
        billed.currency_code,
        billed.billing_cycle_id,
        billed.document_key,
        billed.document_date as subject_date,
        cast(null as timestamp) as due_at,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        'Document ' || coalesce(billed.invoice_id, billed.document_key) || ' over '
        || cast(billed.gross_amount as varchar) || ' ' || billed.currency_code || ' is made out to VAT number '
        || coalesce(billed.billed_tax_number, 'none') || ', ours is ' || coalesce(billed.tax_number, 'unknown')
        || case when billed.billed_letters <> billed.own_letters then ', and to another company' else '' end
        || ': its VAT cannot be recovered until it is issued anew.' as fault_summary
    from judged_recipients as billed

),

waiting as (

    -- A document by hand has its lines in the next cycle at the latest.
    select
        numbered.marketplace_code,
        numbered.document_key,
        {{ utc_from_local(
            'cast(' ~ add_days(
                add_business_days('cycle_calendar.next_cut_date', 'marketplaces.settlement_grace_days'), '1'
            ) ~ ' as timestamp)',
            'marketplaces.time_zone'
        ) }} as due_at
    from numbered
    inner join marketplaces
        on numbered.marketplace_code = marketplaces.marketplace_code
    inner join cycle_calendar
        on
            numbered.marketplace_code = cycle_calendar.marketplace_code
            and numbered.document_date = cycle_calendar.calendar_date

),

bookings as (

    -- The settlement journal of its cycle books a document, with its VAT. What is wrong with that journal is level f's; a document
    -- that no line belongs to is in nobody's journal.
    select
        numbered.marketplace_code,
        numbered.entity_code,
        numbered.shop_id,
        'DOCUMENT' as subject_type,
        numbered.document_key as subject_id,
        'D080_BOOKED' as rule_code,
        case
            when numbered.document_date < numbered.go_live_date or settlements.match_status = 'EXCLUDED' then 'EXCLUDED'
            when settlements.journal_key is null and document_lines.document_id is not null then 'TIMING'
            when settlements.journal_key is null and {{ as_of() }} < waiting.due_at then 'TIMING'
            when settlements.journal_key is null then 'EXCEPTION'
            when settlements.erp_state in ('ABSENT', 'PARTLY_SENT') then settlements.match_status
            when settlements.erp_state in ('REVERSED', 'DUPLICATED', 'COPIED') then 'EXCEPTION'
            else 'MATCHED'
        end as status,
        'INV-005' as fault_code,
        numbered.gross_amount as expected_amount,
        case
            when settlements.journal_key is null or settlements.erp_state in ('ABSENT', 'PARTLY_SENT', 'REVERSED')
                then cast(0 as decimal(18, 2))
            when settlements.erp_state in ('DUPLICATED', 'COPIED') then numbered.gross_amount * 2
            else numbered.gross_amount
        end as actual_amount,
        cast(0 as decimal(18, 2)) as tolerance_amount,
        numbered.currency_code,
        numbered.billing_cycle_id,
        numbered.document_key,
        numbered.document_date as subject_date,
        waiting.due_at,
        case when settlements.journal_key is not null then coalesce(settlements.blocked_subject_type, 'JOURNAL') end
            as root_subject_type,
        coalesce(settlements.blocked_subject_id, settlements.journal_key) as root_subject_id,
        'Document ' || coalesce(numbered.invoice_id, numbered.document_key) || ' of '
        || cast(numbered.document_date as varchar) || ' over ' || cast(numbered.gross_amount as varchar) || ' '
        || numbered.currency_code || ', VAT ' || cast(numbered.tax_amount as varchar) || ', is not in the books'
        || case
            when settlements.journal_key is null then ': no transaction line and so no settlement bears it'
            when settlements.erp_state in ('DUPLICATED', 'COPIED') then ' once but twice'
            else ': the journal of its cycle is not there'
        end || '.' as fault_summary
    from numbered
    inner join marketplaces
        on
            numbered.marketplace_code = marketplaces.marketplace_code
            and marketplaces.has_books
    left join document_lines
        on
            numbered.marketplace_code = document_lines.marketplace_code
            and numbered.document_key = document_lines.document_id
    left join settlements
        on
            numbered.marketplace_code = settlements.marketplace_code
            and numbered.billing_cycle_id = settlements.billing_cycle_id
    left join waiting
        on
            numbered.marketplace_code = waiting.marketplace_code
            and numbered.document_key = waiting.document_key

),

tests as (

    {% for test in ['existence', 'fees', 'taxes', 'transfers', 'copies', 'by_hand', 'recipients', 'bookings'] -%}
    select * from {{ test }}
    {% if not loop.last -%}
    union all
    {% endif -%}
    {%- endfor %}

),

final as (

    select
        tests.marketplace_code,
        tests.entity_code,
        tests.shop_id,
        tests.subject_type,
        tests.subject_id,
        tests.rule_code,
        tests.status,
        case when tests.status = 'EXCEPTION' then tests.fault_code end as exception_code,
        cast(tests.expected_amount as decimal(18, 2)) as expected_amount,
        cast(tests.actual_amount as decimal(18, 2)) as actual_amount,
        cast(tests.actual_amount - tests.expected_amount as decimal(18, 2)) as delta_amount,
        cast(tests.tolerance_amount as decimal(18, 2)) as tolerance_amount,
        tests.currency_code,
        tests.document_key as left_id,
        tests.billing_cycle_id as right_id,
        tests.due_at,
        case when tests.status = 'EXCEPTION' then tests.root_subject_type end as root_subject_type,
        case when tests.status = 'EXCEPTION' then tests.root_subject_id end as root_subject_id,
        case
            when tests.status = 'EXCEPTION'
                then
                    case when marketplaces.perspective = 'OPERATOR' then 'Shop ' || tests.shop_id || ': ' else '' end
                    || tests.fault_summary
                    || case
                        when tests.fault_code in ('INV-005', 'INV-007') then ''
                        else
                            ' Expected ' || cast(tests.expected_amount as varchar) || ', found '
                            || cast(tests.actual_amount as varchar) || ' ' || tests.currency_code || '.'
                    end
        end as summary,
        tests.billing_cycle_id,
        tests.document_key,
        tests.subject_date
    from tests
    inner join marketplaces
        on tests.marketplace_code = marketplaces.marketplace_code

)

select * from final

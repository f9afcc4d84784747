-- Grain: open difference that the operator has to put right, or we: one item of a claim, with the rule, both amounts and the records
-- that prove it. claim_amount is positive when it is owed to the seller. Items of a month and kind make one claim pack.
{% set kinds = {
    'SET-001': 'OVERDUE_SALE', 'SET-002': 'SETTLED_AMOUNT', 'SET-003': 'COMMISSION', 'SET-004': 'COMMISSION', 'SET-005': 'FEE_VAT',
    'SET-007': 'DUPLICATE', 'SET-008': 'COMMISSION_REFUND', 'SET-010': 'CANCELLED_SALE', 'SET-011': 'SHIPPING', 'SET-012': 'FEE',
    'SET-013': 'PROMOTION', 'TAX-007': 'FEE_VAT', 'PAY-001': 'PAY_OUT', 'INV-002': 'DOCUMENT', 'INV-003': 'DOCUMENT',
} -%}
with

exceptions as (

    select * from {{ ref('exceptions') }}
    where status in ('OPEN', 'IN_PROGRESS')

),

orders as {{ inlined() }} (

    select * from {{ ref('int_ledger__orders') }}

),

order_lines as (

    select * from {{ ref('int_ledger__order_lines') }}

),

cycles as (

    select * from {{ ref('int_matching__cycles') }}

),

contracts as (

    select * from {{ ref('stg_tieout__commission_contracts') }}

),

lines as (

    select * from {{ ref('int_matching__transaction_lines') }}

),

differences as (

    select
        tests.marketplace_code,
        tests.entity_code,
        tests.exception_code,
        tests.subject_type,
        tests.subject_id,
        tests.rule_code,
        tests.expected_amount,
        tests.actual_amount,
        tests.expected_amount - tests.actual_amount as owed_amount,
        tests.currency_code,
        tests.order_id,
        tests.order_line_id,
        tests.refund_id,
        tests.transaction_line_id,
        tests.billing_cycle_id,
        cast(null as varchar) as document_id,
        tests.subject_date,
        tests.summary
    from {{ ref('rec_settlement_lines') }} as tests
    where tests.status = 'EXCEPTION'
    union all
    select
        tests.marketplace_code,
        tests.entity_code,
        tests.exception_code,
        tests.subject_type,
        tests.subject_id,
        tests.rule_code,
        tests.expected_amount,
        tests.actual_amount,
        tests.expected_amount - tests.actual_amount as owed_amount,
        tests.currency_code,
        cast(null as varchar) as order_id,
        cast(null as varchar) as order_line_id,
        cast(null as varchar) as refund_id,
        cast(null as varchar) as transaction_line_id,
        tests.subject_id as billing_cycle_id,
        cast(null as varchar) as document_id,
        tests.subject_date,
        tests.summary
    from {{ ref('rec_cycles') }} as tests
    where tests.status = 'EXCEPTION' and tests.subject_type = 'CYCLE'
    union all
    select
        tests.marketplace_code,
        tests.entity_code,
        tests.exception_code,
        tests.subject_type,
        tests.subject_id,
        tests.rule_code,
        tests.expected_amount,
        tests.actual_amount,
        -- Documents charge: a charge that is too high is owed to the seller.
        tests.actual_amount - tests.expected_amount as owed_amount,
        tests.currency_code,
        cast(null as varchar) as order_id,
        cast(null as varchar) as order_line_id,
        cast(null as varchar) as refund_id,
        cast(null as varchar) as transaction_line_id,
        tests.billing_cycle_id,
        tests.subject_id as document_id,
        tests.subject_date,
        tests.summary
    from {{ ref('rec_documents') }} as tests
    where tests.status = 'EXCEPTION' and tests.subject_type = 'DOCUMENT'

),

claimed as (

    select
        differences.*,
        exceptions.exception_id,
        exceptions.first_seen_at,
        exceptions.due_at,
        case differences.exception_code
            {% for code, kind in kinds.items() -%}
            when '{{ code }}' then '{{ kind }}'
            {% endfor -%}
        end as claim_kind
    from differences
    inner join exceptions
        on
            differences.marketplace_code = exceptions.marketplace_code
            and differences.exception_code = exceptions.exception_code
            and differences.subject_type = exceptions.subject_type
            and differences.subject_id = exceptions.subject_id
    where
        differences.exception_code in (
            '{{ kinds.keys() | join("', '") }}'
        )

),

contract_choices as (

    select
        claimed.exception_id,
        claimed.rule_code,
        contracts.category_code,
        contracts.effective_from,
        contracts.base,
        contracts.rate_percent,
        coalesce(contracts.fixed_amount, 0) as fixed_amount,
        contracts.minimum_amount,
        contracts.maximum_amount,
        contracts.refund_rule,
        contracts.retain_share_percent,
        contracts.retain_fixed_amount,
        contracts.vat_percent,
        cast(order_lines.price_amount + case
            when contracts.base = 'PRICE_PLUS_SHIPPING' then order_lines.shipping_amount else 0
        end as decimal(18, 2)) as base_amount,
        row_number() over (
            partition by claimed.exception_id, claimed.rule_code
            order by case when contracts.category_code = '*' then 1 else 0 end, contracts.effective_from desc
        ) as choice_number
    from claimed
    inner join orders
        on
            claimed.marketplace_code = orders.marketplace_code
            and claimed.order_id = orders.order_id
    inner join order_lines
        on
            claimed.marketplace_code = order_lines.marketplace_code
            and claimed.order_line_id = order_lines.order_line_id
    inner join contracts
        on
            claimed.marketplace_code = contracts.marketplace_code
            and (order_lines.category_code = contracts.category_code or contracts.category_code = '*')
            and orders.order_date >= contracts.effective_from
    where claimed.exception_code in ('SET-003', 'SET-004', 'SET-005', 'SET-008')

),

priced as (

    select
        claimed.*,
        contract_choices.base_amount,
        contract_choices.rate_percent,
        contract_choices.vat_percent,
        contract_choices.refund_rule,
        contract_choices.retain_share_percent,
        contract_choices.retain_fixed_amount,
        'Contract from ' || cast(contract_choices.effective_from as varchar) || ' for category '
        || contract_choices.category_code || ': '
        || cast(cast(contract_choices.rate_percent as decimal(9, 2)) as varchar) || ' % of '
        || case contract_choices.base when 'PRICE' then 'the price' else 'price and shipping' end
        || case
            when contract_choices.fixed_amount <> 0
                then ', and ' || cast(cast(contract_choices.fixed_amount as decimal(18, 2)) as varchar) || ' per line'
            else ''
        end
        || case
            when contract_choices.minimum_amount is not null
                then ', at least ' || cast(cast(contract_choices.minimum_amount as decimal(18, 2)) as varchar)
            else ''
        end
        || case
            when contract_choices.maximum_amount is not null
                then ', at most ' || cast(cast(contract_choices.maximum_amount as decimal(18, 2)) as varchar)
            else ''
        end as contract_text
    from claimed
    left join contract_choices
        on
            claimed.exception_id = contract_choices.exception_id
            and claimed.rule_code = contract_choices.rule_code
            and contract_choices.choice_number = 1

),

worded as (

    select
        priced.*,
        case
            when priced.exception_code in ('SET-003', 'SET-004') and priced.contract_text is not null
                then priced.contract_text || '.'
            when priced.exception_code = 'SET-005' and priced.vat_percent is not null
                then
                    'VAT at '
                    || cast(cast(priced.vat_percent as decimal(9, 2)) as varchar)
                    || ' % of the commission.'
            when priced.exception_code = 'SET-008' and priced.contract_text is not null
                then priced.contract_text || '; on a refund ' || case priced.refund_rule
                    when 'NONE' then 'nothing comes back.'
                    when 'RETAIN_SHARE'
                        then
                            'all but ' || cast(cast(priced.retain_share_percent as decimal(9, 2)) as varchar)
                            || ' % comes back in proportion.'
                    when 'RETAIN_FIXED'
                        then
                            'all but ' || cast(cast(priced.retain_fixed_amount as decimal(18, 2)) as varchar)
                            || ' comes back in proportion.'
                    else 'it comes back in proportion to the amount refunded.'
                end
            when priced.exception_code = 'SET-001' then 'A received sale is settled with the next cycle.'
            when priced.exception_code = 'SET-002' then 'A sale or refund is settled at the amount of the order.'
            when priced.exception_code = 'SET-004' then 'The commission charged is the commission of the order.'
            when priced.exception_code = 'SET-007' then 'A movement is settled once.'
            when priced.exception_code = 'SET-010' then 'A cancelled line is not settled.'
            when priced.exception_code = 'SET-011' then 'Shipping that the customer paid is settled.'
            when priced.exception_code = 'SET-012' then 'Fees follow the agreed fee rules (fee_rules.csv).'
            when priced.exception_code = 'SET-013' then 'The operator pays its part of a promotion through.'
            when priced.exception_code = 'TAX-007' then 'A supplier abroad charges no VAT to a business.'
            when priced.exception_code = 'PAY-001' then 'A pay-out is the opening balance plus the lines of its cycle.'
            else 'A document charges what its lines charge.'
        end as rule_text,
        -- A commission that is given back gives its VAT back with it: VAT of the right fee less VAT of the one charged.
        cast(case
            when priced.exception_code in ('SET-003', 'SET-004', 'SET-008')
                then
                    {{ tax_on_net('priced.expected_amount', 'coalesce(priced.vat_percent, 0)') }}
                    - {{ tax_on_net('priced.actual_amount', 'coalesce(priced.vat_percent, 0)') }}
            else 0
        end as decimal(18, 2)) as owed_tax_amount
    from priced

),

final as (

    select
        worded.exception_id || '-' || worded.rule_code as claim_id,
        worded.marketplace_code || '-' || {{ period_of('worded.subject_date') }} || '-' || worded.claim_kind
            as claim_pack_id,
        worded.exception_id,
        worded.marketplace_code,
        worded.entity_code,
        coalesce(orders.shop_id, cycles.shop_id) as shop_id,
        worded.claim_kind,
        worded.exception_code,
        worded.rule_code,
        worded.rule_text,
        worded.subject_type,
        worded.subject_id,
        worded.subject_date,
        worded.expected_amount,
        worded.actual_amount,
        worded.base_amount,
        cast(worded.rate_percent as decimal(9, 4)) as agreed_rate_percent,
        case
            when worded.exception_code = 'SET-003' and worded.base_amount > 0
                then cast(cast({{ round_ratio(
                    'cast(round(-worded.actual_amount * 1000000) as bigint)',
                    'cast(round(worded.base_amount * 100) as bigint)'
                ) }} as decimal(18, 4)) * 0.01 as decimal(9, 4))
        end as charged_rate_percent,
        cast(worded.owed_amount as decimal(18, 2)) as claim_amount,
        worded.owed_tax_amount as claim_tax_amount,
        worded.currency_code,
        case when worded.owed_amount >= 0 then 'SELLER' else 'OPERATOR' end as owed_to,
        worded.order_id,
        worded.order_line_id,
        worded.refund_id,
        worded.transaction_line_id,
        worded.billing_cycle_id,
        coalesce(worded.document_id, lines.document_number) as document_number,
        cycles.voucher_number,
        lines.created_at as charged_at,
        worded.first_seen_at,
        worded.due_at,
        worded.summary
    from worded
    left join orders
        on
            worded.marketplace_code = orders.marketplace_code
            and worded.order_id = orders.order_id
    left join cycles
        on
            worded.marketplace_code = cycles.marketplace_code
            and worded.billing_cycle_id = cycles.billing_cycle_id
    left join lines
        on
            worded.marketplace_code = lines.marketplace_code
            and worded.transaction_line_id = lines.transaction_line_id

)

select * from final

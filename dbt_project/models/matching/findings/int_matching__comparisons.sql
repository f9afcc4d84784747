-- Grain: subject × rule of a level that compares money: the two sides, their difference and the business day they belong to. What
-- drift and debt are summed from. is_consequence: another subject's root explains it.
{{ config(materialized='view') }}

with

orders as (

    select
        orders.marketplace_code,
        orders.order_id,
        orders.order_date
    from {{ ref('int_ledger__orders') }} as orders

),

{% set levels = [
    ('rec_settlement_lines', 'b', 'compared.fee_type'), ('rec_cycles', 'c', "'PAYOUT'"),
    ('rec_documents', 'd', 'compared.subject_type'), ('rec_receipts', 'e', 'compared.subject_type'),
    ('rec_journals', 'f', "coalesce(compared.kind, 'UNEXPECTED')"), ('rec_refunds', 'j', "'REFUND'"),
] -%}
unioned as (

    select
        'a' as level_code,
        compared.marketplace_code,
        compared.entity_code,
        'ORDER' as fee_type,
        compared.subject_type,
        compared.subject_id,
        compared.rule_code,
        compared.status,
        compared.exception_code,
        compared.expected_amount,
        compared.actual_amount,
        compared.currency_code,
        orders.order_date as subject_date,
        compared.due_at,
        compared.root_subject_type,
        compared.root_subject_id
    from {{ ref('rec_orders') }} as compared
    inner join orders
        on
            compared.marketplace_code = orders.marketplace_code
            and compared.order_id = orders.order_id
    {% for model, level, fee_type in levels -%}
    union all
    select
        '{{ level }}' as level_code,
        compared.marketplace_code,
        compared.entity_code,
        {{ fee_type }} as fee_type,
        compared.subject_type,
        compared.subject_id,
        compared.rule_code,
        compared.status,
        compared.exception_code,
        compared.expected_amount,
        compared.actual_amount,
        compared.currency_code,
        compared.subject_date,
        compared.due_at,
        compared.root_subject_type,
        compared.root_subject_id
    from {{ ref(model) }} as compared
    {% if model == 'rec_cycles' -%}
    where compared.rule_code in ('C010_IDENTITY', 'C020_PAY_OUT')
    {% endif -%}
    {%- endfor %}

),

final as (

    select
        unioned.level_code,
        unioned.marketplace_code,
        unioned.entity_code,
        unioned.fee_type,
        unioned.subject_type,
        unioned.subject_id,
        unioned.rule_code,
        unioned.status,
        unioned.exception_code,
        unioned.expected_amount,
        unioned.actual_amount,
        unioned.currency_code,
        unioned.subject_date,
        unioned.due_at,
        unioned.root_subject_id is not null
        and not (
            unioned.root_subject_type = unioned.subject_type and unioned.root_subject_id = unioned.subject_id
        ) as is_consequence
    from unioned

)

select * from final

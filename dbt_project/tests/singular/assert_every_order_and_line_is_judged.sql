-- Claim: every order and order line of a marketplace with books in an ERP takes part in level a: it has exactly one row of the rule that asks for its
-- existence. It does not say that the order is right. When red, a join in the order models loses or doubles records.

with orders as (
    select
        marketplace_code,
        'ORDER' as subject_type,
        order_id as subject_id
    from {{ ref('int_ledger__orders') }}
),

order_lines as (
    select
        marketplace_code,
        'ORDER_LINE' as subject_type,
        order_line_id as subject_id
    from {{ ref('int_ledger__order_lines') }}
),

subjects as (
    select * from orders
    union all
    select * from order_lines
),

marketplaces as (
    select * from {{ ref('int_ledger__marketplaces') }}
    where has_books
),

judged as (
    select
        marketplace_code,
        subject_type,
        subject_id,
        count(*) as row_count
    from {{ ref('rec_orders') }}
    where rule_code in ('ORDER_IN_ERP', 'LINE_IN_ERP')
    group by marketplace_code, subject_type, subject_id
)

select
    subjects.marketplace_code,
    subjects.subject_type,
    subjects.subject_id,
    coalesce(judged.row_count, 0) as row_count
from subjects
inner join marketplaces
    on subjects.marketplace_code = marketplaces.marketplace_code
left join judged
    on
        subjects.marketplace_code = judged.marketplace_code
        and subjects.subject_type = judged.subject_type
        and subjects.subject_id = judged.subject_id
where coalesce(judged.row_count, 0) <> 1

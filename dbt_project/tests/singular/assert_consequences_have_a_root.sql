-- Claim: an exception of level a or i that names a root follows from an exception that is there. When red, a consequence would be
-- hidden from the work list behind a cause that nobody sees.

with exceptions_of_orders as (
    select
        marketplace_code,
        subject_type,
        subject_id,
        root_subject_type,
        root_subject_id
    from {{ ref('rec_orders') }}
    where status = 'EXCEPTION'
    union all
    select
        marketplace_code,
        subject_type,
        subject_id,
        root_subject_type,
        root_subject_id
    from {{ ref('rec_dispatches') }}
    where status = 'EXCEPTION'
)

select
    consequences.marketplace_code,
    consequences.subject_type,
    consequences.subject_id,
    consequences.root_subject_id
from exceptions_of_orders as consequences
left join exceptions_of_orders as roots
    on
        consequences.marketplace_code = roots.marketplace_code
        and consequences.root_subject_type = roots.subject_type
        and consequences.root_subject_id = roots.subject_id
        and roots.root_subject_id is null
where
    consequences.root_subject_id is not null
    and roots.subject_id is null

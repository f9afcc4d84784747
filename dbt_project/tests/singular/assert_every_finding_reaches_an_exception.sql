-- Each difference of any level is an open exception or the consequence of one. Nothing is dropped on the way to the work list.
-- When red: a level uses a code that exception_codes.csv does not have, or a consequence whose root was resolved.
select
    findings.exception_code,
    findings.marketplace_code,
    findings.subject_type,
    findings.subject_id
from {{ ref('int_matching__findings') }} as findings
left join {{ ref('exceptions') }} as exceptions
    on
        findings.exception_code = exceptions.exception_code
        and findings.marketplace_code = exceptions.marketplace_code
        and findings.subject_type = exceptions.subject_type
        and findings.subject_id = exceptions.subject_id
        and exceptions.status <> 'RESOLVED'
where findings.is_root and exceptions.exception_id is null

-- A marketplace with more than four lines is an exception here.
select
    'id-' || t.marketplace_code as exception_id,
    t.marketplace_code,
    'S1' as severity,
    'ORD-001' as exception_code,
    'OPEN' as status,
    'ORDER' as subject_type,
    'order 1' as subject_id,
    t.amount as amount_at_risk,
    'GBP' as currency_code,
    'OPERATIONS' as owner_team,
    'SYNC' as root_cause,
    'Many lines' as title,
    'Look at it' as recommended_action,
    'docs/runbooks.md#ord-001' as runbook_url,
    cast(null as timestamp) as due_at,
    cast(null as timestamp) as resolved_at,
    0 as consequence_count,
    'more than four lines' as summary
from {{ ref('totals') }} as t
where t.line_count > 4

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
    'more than four lines' as summary
from {{ ref('totals') }} as t
where t.line_count > 4

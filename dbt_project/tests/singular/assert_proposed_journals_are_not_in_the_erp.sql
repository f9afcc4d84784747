-- A journal is proposed only while no posting carries its wire key, and never when something blocks it.
-- When red: stop write-back; a journal would be posted twice.
select
    actions.action_key,
    actions.wire_key
from {{ ref('act_journals') }} as actions
left join {{ ref('int_ledger__erp_postings') }} as postings
    on
        actions.account = postings.erp_code
        and actions.wire_key = postings.reference
left join {{ ref('journals') }} as journals
    on actions.natural_id = journals.journal_key
where postings.urn is not null or journals.status not in ('DUE', 'WAITING')

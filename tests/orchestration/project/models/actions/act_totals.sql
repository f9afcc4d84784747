-- Wants every marketplace's total to be told to the vendor, unless it was told before.
select
    'STOCK|' || t.marketplace_code || '|' || t.line_count || '|1' as action_key,
    'STOCK' as kind,
    'mirakl' as vendor,
    t.marketplace_code as account,
    t.marketplace_code,
    'UKTRADE' as entity_code,
    cast(t.line_count as varchar) as natural_id,
    1 as version,
    cast(null as varchar) as wire_key,
    t.amount,
    'GBP' as currency_code,
    '{"quantity":' || t.line_count || '}' as payload,
    'the total changed' as reason,
    'x' as source_hash
from {{ ref('totals') }} as t
left join {{ source('raw', 'outbox_actions') }} as a
    on a.natural_id = cast(t.line_count as varchar) and a.state not in ('PROPOSED', 'APPROVED')
where a.action_key is null

-- One row per marketplace and transaction line of which a field changed that never may (SET-014): type, amount, currency
-- or the linked order, order line and refund. Empty in a healthy feed.

with changes as (
    select * from {{ ref('stg_mirakl__transaction_line_changes') }}
),

marketplaces as (
    select * from {{ ref('int_ledger__marketplaces') }}
),

final as (
    select
        changes.marketplace_code,
        marketplaces.entity_code,
        changes.transaction_line_id,
        changes.version_count,
        changes.changed_fields,
        {{ money('changes.smallest_amount') }} as smallest_amount,
        {{ money('changes.largest_amount') }} as largest_amount
    from changes
    inner join marketplaces
        on changes.marketplace_code = marketplaces.marketplace_code
)

select * from final

-- One row per conversation at a marketplace and order that it is about; no texts, no names.
-- is_known: the order feed holds the order.

with threads as (
    select * from {{ ref('stg_mirakl__threads') }}
),

entities as (
    select * from {{ ref('stg_mirakl__thread_entities') }}
    where entity_type = 'MMP_ORDER'
),

orders as (
    select * from {{ ref('int_ledger__orders') }}
),

marketplaces as (
    select * from {{ ref('int_ledger__marketplaces') }}
),

final as (
    select
        threads.marketplace_code,
        marketplaces.entity_code,
        threads.thread_id as case_id,
        entities.entity_id as order_id,
        threads.created_at,
        threads.reply_needed_from,
        orders.order_id is not null as is_known
    from threads
    inner join marketplaces
        on threads.marketplace_code = marketplaces.marketplace_code
    inner join entities
        on
            threads.marketplace_code = entities.marketplace_code
            and threads.thread_id = entities.thread_id
    left join orders
        on
            entities.marketplace_code = orders.marketplace_code
            and entities.entity_id = orders.order_id
)

select * from final

-- One row per marketplace and order line whose goods were asked back: the first of its returns. A line may be asked back twice; it is
-- under way as long as no parcel of it has arrived.
{{ config(materialized='view') }}

with

returns as (
    select * from {{ ref('stg_mirakl__returns') }}
),

lines as (
    select * from {{ ref('stg_mirakl__return_lines') }}
),

final as (
    select
        lines.marketplace_code,
        lines.order_line_id,
        min(returns.return_id) as return_id,
        min(returns.created_at) as created_at,
        min(case when returns.return_state in ('WAITING_ACCEPTANCE', 'IN_PROGRESS') then 1 else 0 end) = 1
            as is_under_way
    from lines
    inner join returns
        on
            lines.marketplace_code = returns.marketplace_code
            and lines.return_id = returns.return_id
    group by lines.marketplace_code, lines.order_line_id
)

select * from final

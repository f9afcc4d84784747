-- One row per figure of a locked period, as it was when the period was locked.

with source as (
    select * from {{ source('raw', 'tieout_closed_figures') }}
),

final as (
    select
        source.close_key,
        source.entity_code,
        source.period,
        source.marketplace_code,
        source.figure_code,
        source.currency_code,
        {{ money('source.amount') }} as amount
    from source
)

select * from final

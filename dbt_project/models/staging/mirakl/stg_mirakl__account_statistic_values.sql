-- One row per figure that the marketplace keeps on the shop, and the period it is taken over.

with parents as (
    select * from {{ ref('stg_mirakl__account_statistics') }}
),

source as (
    select children.*
    from {{ source('raw', 'mirakl_account_statistic_values') }} as children
    inner join parents
        on
            children._account = parents.marketplace_code
            and children._file = parents._file
            and children._position = parents._position
),

final as (
    select
        source._account as marketplace_code,
        nullif(trim(source.shop_id), '') as shop_id,
        nullif(trim(source.name), '') as statistic_name,
        upper(nullif(trim(source.period), '')) as statistic_period,
        {{ to_decimal('source.value') }} as statistic_value,
        source._index as line_index
    from source
)

select * from final

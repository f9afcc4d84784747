-- One row per price of an exported offer: the default one, or one for channels, customers or days.

with parents as (
    select * from {{ ref('stg_mirakl__offer_changes') }}
),

source as (
    select children.*
    from {{ source('raw', 'mirakl_offer_change_prices') }} as children
    inner join parents
        on
            children._account = parents.marketplace_code
            and children._file = parents._file
            and children._position = parents._position
),

final as (
    select
        source._account as marketplace_code,
        nullif(trim(source.offer_id), '') as offer_id,
        nullif(trim(source.channel_codes), '') as channel_codes,
        nullif(trim(source.customer_organization_ids), '') as customer_organization_ids,
        nullif(trim(source.customer_group_ids), '') as customer_group_ids,
        {{ to_decimal('source.origin_price') }} as price_amount,
        {{ to_decimal('source.discount_price') }} as discount_price_amount,
        {{ utc_timestamp('source.start_date') }} as valid_from,
        {{ utc_timestamp('source.end_date') }} as valid_until,
        {{ utc_timestamp('source.discount_start_date') }} as discount_from,
        {{ utc_timestamp('source.discount_end_date') }} as discount_until,
        source._index as line_index
    from source
)

select * from final

-- One row per order, offer or other thing that a conversation is about.

with parents as (
    select * from {{ ref('stg_mirakl__threads') }}
),

source as (
    select children.*
    from {{ source('raw', 'mirakl_thread_entities') }} as children
    inner join parents
        on
            children._account = parents.marketplace_code
            and children._file = parents._file
            and children._position = parents._position
),

final as (
    select
        source._account as marketplace_code,
        nullif(trim(source.thread_id), '') as thread_id,
        upper(nullif(trim(source.entity_type), '')) as entity_type,
        nullif(trim(source.entity_id), '') as entity_id,
        source._index as line_index
    from source
)

select * from final

-- One row per conversation: how many messages, and who waits for an answer. No texts, no names.

with source as (
    {{ newest_versions(source('raw', 'mirakl_threads'), ['id'], 'date_updated') }}
),

final as (
    select
        source._account as marketplace_code,
        nullif(trim(source.id), '') as thread_id,
        upper(nullif(trim(source.topic_type), '')) as topic_type,
        upper(nullif(trim(source.last_sender_type), '')) as last_sender_type,
        {{ to_decimal('source.message_count') }} as message_count,
        {{ utc_timestamp('source.date_created') }} as created_at,
        {{ utc_timestamp('source.last_message_date') }} as last_message_at,
        {{ utc_timestamp('source.shop_reply_needed_since') }} as reply_needed_from,
        {{ utc_timestamp('source.date_updated') }} as updated_at,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final

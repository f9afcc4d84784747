-- One row per feed and account: raw rows, how many of them are current (the newest version, or in the newest complete batch)
-- and how many rows staging made of them. Counted apart from staging, so that control_totals can compare.
{{ config(materialized='table') }}

with complete_batches as (
    select
        vendor,
        account,
        entity,
        batch
    from (
        select
            vendor,
            account,
            entity,
            batch,
            row_number() over (
                partition by vendor, account, entity
                order by max(landed_at) desc, batch desc
            ) as batch_rank
        from {{ ref('stg_tieout__landing_files') }}
        where is_batch_complete
        group by vendor, account, entity, batch
    ) as ranked
    where batch_rank = 1
),

counted as (
    {% for counted in counted_feeds() -%}
    {{ "union all" if not loop.first }}
    {% if is_snapshot_feed(counted.vendor, counted.feed) -%}
    select
        '{{ counted.vendor }}' as vendor,
        '{{ counted.feed }}' as feed,
        rows_of_feed.account,
        sum(rows_of_feed.row_count) as raw_count,
        sum(rows_of_feed.is_current) as current_count,
        0 as staged_count
    from (
        select
            raw_rows._account as account,
            count(*) as row_count,
            max(case when complete_batches.batch is not null then 1 else 0 end) as is_current
        from {{ source('raw', counted.raw_table) }} as raw_rows
        left join complete_batches
            on
                complete_batches.vendor = '{{ counted.vendor }}'
                and complete_batches.entity = '{{ counted.feed }}'
                and raw_rows._account = complete_batches.account
                and raw_rows._batch = complete_batches.batch
        group by
            raw_rows._account{% for column in counted.id_columns %},
            raw_rows.{{ column }}{% endfor %}
    ) as rows_of_feed
    group by rows_of_feed.account
    {% else -%}
    select
        '{{ counted.vendor }}' as vendor,
        '{{ counted.feed }}' as feed,
        received.account,
        received.row_count as raw_count,
        received.row_count - coalesce(superseded.row_count, 0) as current_count,
        0 as staged_count
    from (
        select
            raw_rows._account as account,
            count(*) as row_count
        from {{ source('raw', counted.raw_table) }} as raw_rows
        group by raw_rows._account
    ) as received
    left join (
        -- Records with several versions are found by a number, and only those are counted by their ids.
        select
            versions.account,
            sum(versions.version_count - 1) as row_count
        from (
            select
                raw_rows._account as account,
                count(*) as version_count
            from {{ source('raw', counted.raw_table) }} as raw_rows
            inner join (
                select {{ row_digest(['_account'] + counted.id_columns) }} as record_digest
                from {{ source('raw', counted.raw_table) }}
                group by {{ row_digest(['_account'] + counted.id_columns) }}
                having count(*) > 1
            ) as repeated
                on
                    {{ row_digest(['raw_rows._account'] + counted.id_columns) }}
                    = repeated.record_digest
            group by
                raw_rows._account{% for column in counted.id_columns %},
                raw_rows.{{ column }}{% endfor %}
        ) as versions
        group by versions.account
    ) as superseded
        on received.account = superseded.account
    {% endif -%}
    union all
    select
        '{{ counted.vendor }}' as vendor,
        '{{ counted.feed }}' as feed,
        {{ account_column(counted.vendor) }} as account,
        0 as raw_count,
        0 as current_count,
        count(*) as staged_count
    from {{ ref(counted.model) }}
    where {{ counted.only or 'true' }}
    group by {{ account_column(counted.vendor) }}
    {% endfor %}
),

final as (
    select
        counted.vendor,
        counted.feed,
        counted.account,
        cast(sum(counted.raw_count) as bigint) as raw_count,
        cast(sum(counted.current_count) as bigint) as current_count,
        cast(sum(counted.staged_count) as bigint) as staged_count
    from counted
    group by counted.vendor, counted.feed, counted.account
)

select * from final

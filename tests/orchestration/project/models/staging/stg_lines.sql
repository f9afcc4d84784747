-- Newest version of each transaction line.
select * from (
    select
        *,
        row_number() over (
            partition by _account, id
            order by last_updated desc, _fetched_at desc, _file desc, _position desc
        ) as version_rank
    from {{ source('raw', 'mirakl_transaction_lines') }}
)
where version_rank = 1

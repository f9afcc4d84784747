{#-
    The newest version of each record of a cursor or keyset feed, by a total order: the vendor's version stamp, then
    the time of fetching, then the place in the evidence. Every older version is "superseded" in control_totals.
    A stamp from the future counts as of the fetching: a vendor's clock that was ahead once must not win for ever.
-#}
{% macro newest_versions(relation, id_columns, version_column=none) -%}
    {%- set candidate_columns = [] -%}
    {%- for column in id_columns -%}
        {%- do candidate_columns.append('candidates.' ~ column) -%}
    {%- endfor -%}
    select versions.*
    from {{ relation }} as versions
    left join (
        -- Few records change: only ids that were received more than once are ranked, and only by their keys. They are found by
        -- a number, which costs a third of comparing texts; two ids of one number are told apart by the ranking.
        select
            ranked._account,
            ranked._file,
            ranked._position
        from (
            select
                candidates._account,
                candidates._file,
                candidates._position,
                row_number() over (
                    partition by candidates._account{% for column in id_columns %}, candidates.{{ column }}{% endfor %}
                    order by
                        {%- if version_column %}
                        case
                            when {{ utc_timestamp('candidates.' ~ version_column) }} > candidates._fetched_at
                                then candidates._fetched_at
                            else {{ utc_timestamp('candidates.' ~ version_column) }}
                        end desc nulls last,
                        {%- endif %}
                        candidates._fetched_at desc,
                        candidates._file desc,
                        candidates._position desc
                ) as version_rank
            from {{ relation }} as candidates
            inner join (
                select {{ row_digest(['_account'] + id_columns) }} as record_digest
                from {{ relation }}
                group by {{ row_digest(['_account'] + id_columns) }}
                having count(*) > 1
            ) as repeated
                on {{ row_digest(['candidates._account'] + candidate_columns) }} = repeated.record_digest
            where
                candidates._account is not null
                {%- for column in candidate_columns %}
                and {{ column }} is not null
                {%- endfor %}
        ) as ranked
        where ranked.version_rank > 1
    ) as superseded
        on
            versions._account = superseded._account
            and versions._file = superseded._file
            and versions._position = superseded._position
    where superseded._file is null
{%- endmacro %}


{#-
    The records of the newest complete batch of a snapshot feed. A batch that broke off half way never counts, and a
    record that paging showed twice counts once (its last place wins).
-#}
{% macro newest_snapshot(relation, vendor, entity, id_columns) -%}
    select ranked.*
    from (
        select
            versions.*,
            row_number() over (
                partition by versions._account{% for column in id_columns %}, versions.{{ column }}{% endfor %}
                order by versions._file desc, versions._position desc
            ) as version_rank
        from {{ relation }} as versions
        inner join (
            select
                batches.account,
                batches.batch,
                row_number() over (
                    partition by batches.account
                    order by batches.landed_at desc, batches.batch desc
                ) as batch_rank
            from (
                select
                    account,
                    batch,
                    max(landed_at) as landed_at
                from {{ source('raw', 'landing_files') }}
                where vendor = '{{ vendor }}' and entity = '{{ entity }}' and is_batch_complete
                group by account, batch
            ) as batches
        ) as complete
            on
                versions._account = complete.account
                and versions._batch = complete.batch
                and complete.batch_rank = 1
    ) as ranked
    where ranked.version_rank = 1
{%- endmacro %}

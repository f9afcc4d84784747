-- One row per marketplace and transaction line whose received versions disagree on a field that Mirakl never changes.

with

counted as (
    select
        versions._account,
        versions.id,
        count(*) as version_count,
        count(distinct upper(versions.type)) as type_count,
        count(distinct {{ to_decimal('versions.amount') }}) as amount_count,
        count(distinct upper(versions.currency_iso_code)) as currency_count,
        count(distinct coalesce(versions.order_id, '')) as order_count,
        count(distinct coalesce(versions.order_line_id, '')) as order_line_count,
        count(distinct coalesce(versions.refund_id, '')) as refund_count,
        min({{ to_decimal('versions.amount') }}) as smallest_amount,
        max({{ to_decimal('versions.amount') }}) as largest_amount
    from {{ source('raw', 'mirakl_transaction_lines') }} as versions
    inner join (
        -- By a number: two ids of one number are kept apart by the grouping outside.
        select {{ row_digest(['_account', 'id']) }} as record_digest
        from {{ source('raw', 'mirakl_transaction_lines') }}
        group by {{ row_digest(['_account', 'id']) }}
        having count(*) > 1
    ) as repeated
        on {{ row_digest(['versions._account', 'versions.id']) }} = repeated.record_digest
    where versions._account is not null and versions.id is not null
    group by versions._account, versions.id
),

final as (
    select
        counted._account as marketplace_code,
        nullif(trim(counted.id), '') as transaction_line_id,
        counted.version_count,
        trim(
            case when counted.type_count > 1 then 'type ' else '' end
            || case when counted.amount_count > 1 then 'amount ' else '' end
            || case when counted.currency_count > 1 then 'currency ' else '' end
            || case when counted.order_count > 1 then 'order ' else '' end
            || case when counted.order_line_count > 1 then 'order_line ' else '' end
            || case when counted.refund_count > 1 then 'refund ' else '' end
        ) as changed_fields,
        counted.smallest_amount,
        counted.largest_amount
    from counted
    where
        counted.type_count > 1
        or counted.amount_count > 1
        or counted.currency_count > 1
        or counted.order_count > 1
        or counted.order_line_count > 1
        or counted.refund_count > 1
)

select * from final

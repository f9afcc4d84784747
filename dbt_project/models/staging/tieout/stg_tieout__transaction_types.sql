-- Transaction type map, effective-dated.

with source as (
    select * from {{ ref('transaction_types') }}
),

final as (
    select
        upper(nullif(trim(source.transaction_type), '')) as transaction_type,
        upper(nullif(trim(source.fee_type), '')) as fee_type,
        upper(nullif(trim(source.account_role), '')) as account_role,
        upper(nullif(trim(source.settlement_led_role), '')) as settlement_led_role,
        upper(nullif(trim(source.operator_kind), '')) as operator_kind,
        upper(nullif(trim(source.operator_role), '')) as operator_role,
        upper(nullif(trim(source.tax_of_type), '')) as tax_of_type,
        upper(nullif(trim(source.bucket), '')) as bucket,
        cast(nullif(trim(source.expected_sign), '') as integer) as expected_sign,
        lower(trim(coalesce(source.is_tax, ''))) in ('true', 't', 'yes', 'y', '1', 'on') as is_tax,
        lower(trim(coalesce(source.counts_in_net, ''))) in ('true', 't', 'yes', 'y', '1', 'on') as counts_in_net,
        {{ calendar_date('source.effective_from') }} as effective_from
    from source
)

select * from final

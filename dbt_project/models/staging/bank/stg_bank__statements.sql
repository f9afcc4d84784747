-- One row per bank account and statement, from the newest file that holds it. Balances signed: money held is positive.

with source as (
    select
        statements.*,
        row_number() over (
            partition by statements._account, statements.statement_id
            order by statements._file desc, statements._position desc, statements._index desc
        ) as version_rank
    from {{ source('raw', 'bank_statements') }} as statements
),

final as (
    select
        source._account as bank_account_code,
        nullif(trim(source.statement_id), '') as statement_id,
        nullif(trim(source.iban), '') as iban,
        upper(nullif(trim(source.currency), '')) as currency_code,
        {{ to_decimal('source.opening_balance') }} as opening_balance,
        {{ to_decimal('source.closing_balance') }} as closing_balance,
        {{ calendar_date('source.from_date') }} as from_date,
        {{ calendar_date('source.to_date') }} as to_date
    from source
    where source.version_rank = 1
)

select * from final

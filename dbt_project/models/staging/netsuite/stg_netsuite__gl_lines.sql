-- One row per posted leg of the primary accounting book. debit and credit in the subsidiary's base currency, one of them
-- empty; foreign_amount in the transaction's currency, debits positive. is_counted: it is still there, and in the books of
-- the company that erps.csv names. reference: the key of the journal, else the document's number. What a voided
-- transaction posted stays: its reversal does away with it.
{{ config(materialized='table') }}

with source as (
    {{ netsuite_newest_lines(source('raw', 'netsuite_gl_lines'), ['transaction', 'transactionline']) }}
),

deleted as (
    {{ netsuite_deleted('TRANSACTION') }}
),

erps as (
    select * from {{ ref('stg_tieout__erps') }}
),

-- A reversal has no external id of its own: it belongs to the journal that it takes back.
reversed as (
    select distinct
        _account,
        transaction,
        externalid
    from source
    where externalid like 'JE-%'
),

eliminations as (
    select
        erp_code,
        subsidiary_id
    from {{ ref('stg_netsuite__subsidiaries') }}
    where is_elimination
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.transaction), '') as transaction_id,
        nullif(trim(source.transactionline), '') as line_id,
        nullif(trim(source.account), '') as account_id,
        nullif(trim(source.transaction_type), '') as transaction_type,
        nullif(trim(source.tranid), '') as document_no,
        -- Tieout posts a journal under `JE-` and its wire key.
        case
            -- The entry of a foreign journal's exchange difference has FX behind it.
            when source.externalid like 'JE-TO%FX' and length(source.externalid) = 23
                then substr(source.externalid, 4, 18)
            when source.externalid like 'JE-%' then substr(source.externalid, 4)
            when source.isreversal and reversed.externalid like 'JE-TO%FX' and length(reversed.externalid) = 23
                then substr(reversed.externalid, 4, 18)
            when source.isreversal and reversed.externalid is not null then substr(reversed.externalid, 4)
            else nullif(trim(source.tranid), '')
        end as reference,
        nullif(trim(source.postingperiod), '') as period_id,
        nullif(trim(source.currency), '') as currency_id,
        nullif(trim(source.subsidiary), '') as subsidiary_id,
        nullif(trim(source.class), '') as class_id,
        nullif(trim(source.department), '') as department_id,
        nullif(trim(source.entity), '') as entity_id,
        nullif(trim(source.memo), '') as memo,
        {{ to_decimal('source.debit') }} as debit,
        {{ to_decimal('source.credit') }} as credit,
        {{ to_decimal('source.foreignamount') }} as foreign_amount,
        {{ calendar_date('source.trandate') }} as transaction_date,
        source.is_removed or deleted.record_id is not null as is_gone,
        not source.is_removed
        and deleted.record_id is null
        and eliminations.subsidiary_id is null
        and coalesce(source.subsidiary = erps.subsidiary_id, true) as is_counted,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
    left join deleted
        on
            source._account = deleted.erp_code
            and trim(source.transaction) = deleted.record_id
    left join erps
        on source._account = erps.erp_code
    left join reversed
        on
            source._account = reversed._account
            and source.reversal = reversed.transaction
    left join eliminations
        on
            source._account = eliminations.erp_code
            and source.subsidiary = eliminations.subsidiary_id
)

select * from final

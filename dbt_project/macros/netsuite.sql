{#-
    The newest version of each line of NetSuite's transactions (items, ledger legs), with `is_removed`. NetSuite keeps no
    trace of a line that a person took out: it is simply not there when its transaction is read again. So a row is
    removed when a later reading of its transaction shows a later change and no longer has the line. Rows of one
    reading never remove each other: the transaction may have changed between two of its pages.
-#}
{% macro netsuite_newest_lines(relation, id_columns) -%}
    select
        newest.*,
        gone._file is not null as is_removed
    from (
        {{ newest_versions(relation, id_columns, 'transaction_lastmodifieddate') }}
    ) as newest
    left join (
        select distinct
            earlier._account,
            earlier._file,
            earlier._position
        from {{ relation }} as earlier
        inner join (
            select
                _account,
                transaction,
                _batch,
                max(transaction_lastmodifieddate) as changed
            from {{ relation }}
            group by _account, transaction, _batch
        ) as readings
            on
                earlier._account = readings._account
                and earlier.transaction = readings.transaction
                and earlier._batch <> readings._batch
                and earlier.transaction_lastmodifieddate < readings.changed
    ) as gone
        on
            newest._account = gone._account
            and newest._file = gone._file
            and newest._position = gone._position
{%- endmacro %}


{#- Whether a list of subsidiaries such as '2, 3' holds one; without a list it is anybody's. -#}
{% macro netsuite_belongs_to(subsidiary_ids, subsidiary_id) -%}
    coalesce(', ' || {{ subsidiary_ids }} || ',' like '%, ' || {{ subsidiary_id }} || ',%', true)
{%- endmacro %}


{#- Ids of records that were deleted in NetSuite: TRANSACTION, ITEM or CUSTOMER. Ids are never given again. -#}
{% macro netsuite_deleted(record_kind) -%}
    select distinct
        erp_code,
        record_id
    from {{ ref('stg_netsuite__deleted_records') }}
    where record_kind = '{{ record_kind }}'
{%- endmacro %}


{#- `Shirt : SHIRT-L` is the child SHIRT-L of Shirt: the part after the last colon is the code or name that people know. -#}
{% macro netsuite_own_name(expression) -%}
    {{ replace_pattern(expression, '^.* : ', '') }}
{%- endmacro %}


{#- The feeds that share stg_netsuite__documents, and those that share stg_netsuite__document_lines. -#}
{% macro netsuite_documents() -%}
    {{ return([
        'fulfilments', 'invoices', 'credit_memos', 'return_authorisations', 'refunds', 'customer_payments', 'deposits',
    ]) }}
{%- endmacro %}

{% macro netsuite_document_lines() -%}
    {{ return([
        'fulfilment_lines', 'invoice_lines', 'credit_memo_lines', 'return_authorisation_lines', 'deposit_lines',
    ]) }}
{%- endmacro %}


{#- What is left of a line's amount once the rest of its quantity was closed: shipped / ordered, rounded to the penny. -#}
{% macro netsuite_part_of_amount(amount) -%}
    case
        when remaining.remaining_quantity = remaining.ordered_quantity then {{ amount }}
        when remaining.ordered_quantity <= 0 or remaining.remaining_quantity <= 0 then 0
        else cast({{ round_ratio(
            'cast(round(' ~ amount ~ ' * 100) as bigint) * cast(round(remaining.remaining_quantity * 10000) as bigint)',
            'cast(round(remaining.ordered_quantity * 10000) as bigint)'
        ) }} as decimal(18, 2)) * 0.01
    end
{%- endmacro %}

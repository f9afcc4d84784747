-- Grain: line of a journal that was sent to an ERP, exactly as it was sent. What is posted is never edited and never computed anew: it
-- stands in the books until a CORRECTION takes it back.
with

actions as (

    select * from {{ ref('int_ledger__outbox_actions') }}
    where kind = 'JOURNAL' and state in ('SENDING', 'SENT', 'UNKNOWN', 'VERIFIED')

),

newest as (

    -- The same journal may have been sent twice, after a refusal.
    select
        ranked.natural_id as journal_key,
        ranked.wire_key,
        ranked.entity_code,
        ranked.marketplace_code,
        ranked.currency_code,
        ranked.payload
    from (
        select
            actions.*,
            row_number() over (
                partition by actions.natural_id order by actions.version desc, actions.action_key desc
            ) as action_number
        from actions
    ) as ranked
    where ranked.action_number = 1

),

unnested as (

    {{ json_rows('newest', 'payload', 'lines', [
        ('line_no', 'integer'), ('account_role', 'varchar'), ('account_type', 'varchar'), ('account_code', 'varchar'),
        ('cost_centre', 'varchar'), ('department', 'varchar'), ('bank_code', 'varchar'), ('debit', 'varchar'),
        ('credit', 'varchar'), ('tax_code', 'varchar'), ('tax_line_of', 'integer'), ('narrative', 'varchar'),
        ('shop_id', 'varchar'),
    ]) }}

),

final as (

    select
        unnested.journal_key,
        unnested.wire_key,
        unnested.entity_code,
        unnested.marketplace_code,
        {{ json_text('unnested.payload', 'kind') }} as kind,
        {{ json_text('unnested.payload', 'document_id') }} as document_id,
        cast({{ json_text('unnested.payload', 'version') }} as integer) as version,
        {{ calendar_date(json_text('unnested.payload', 'journal_date')) }} as posting_date,
        unnested.currency_code,
        unnested.line_no,
        unnested.account_role,
        unnested.account_type,
        unnested.shop_id,
        unnested.account_code,
        coalesce(unnested.cost_centre, '') as cost_centre,
        coalesce(unnested.department, '') as department,
        unnested.bank_code,
        {{ money('coalesce(unnested.debit, \'0\')') }} as debit,
        {{ money('coalesce(unnested.credit, \'0\')') }} as credit,
        unnested.tax_code,
        unnested.tax_line_of,
        unnested.narrative
    from unnested

)

select * from final

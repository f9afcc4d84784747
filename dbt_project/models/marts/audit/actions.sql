-- Grain: action: what the models want done now (state WANTED) and what the outbox holds, from proposal to proof. The payload stays in the
-- outbox; here is what will be done and why.
with

outbox as (

    select * from {{ ref('int_ledger__outbox_actions') }}

),

wanted as (

    {% for model in [
        'act_journals', 'act_stock', 'act_offers', 'act_dispatches', 'act_refunds', 'act_credit_notes', 'act_orders', 'act_acceptances',
        'act_cancellations', 'act_line_cancellations', 'act_addresses'
    ] -%}
    select
        {{ model }}.action_key,
        {{ model }}.kind,
        {{ model }}.vendor,
        {{ model }}.account,
        {{ model }}.marketplace_code,
        {{ model }}.natural_id,
        {{ model }}.version,
        {{ model }}.wire_key,
        {{ model }}.amount,
        {{ model }}.currency_code,
        {{ model }}.reason
    from {{ ref(model) }} as {{ model }}
    {% if not loop.last -%}
    union all
    {% endif -%}
    {%- endfor %}

),

journals as (

    select * from {{ ref('int_accounting__journals') }}

),

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}

),

joined as (

    select
        coalesce(outbox.action_key, wanted.action_key) as action_key,
        coalesce(outbox.kind, wanted.kind) as kind,
        coalesce(outbox.vendor, wanted.vendor) as vendor,
        coalesce(outbox.account, wanted.account) as account,
        coalesce(outbox.marketplace_code, wanted.marketplace_code) as marketplace_code,
        coalesce(outbox.natural_id, wanted.natural_id) as natural_id,
        coalesce(outbox.version, wanted.version) as version,
        coalesce(outbox.wire_key, wanted.wire_key) as wire_key,
        wanted.amount,
        wanted.currency_code,
        wanted.reason,
        coalesce(outbox.state, 'WANTED') as state,
        outbox.proposed_at,
        outbox.decided_at,
        outbox.sent_at,
        outbox.verified_at,
        outbox.vendor_ids,
        outbox.detail
    from outbox
    full outer join wanted
        on outbox.action_key = wanted.action_key

),

final as (

    select
        joined.marketplace_code,
        marketplaces.entity_code,
        joined.action_key,
        joined.kind,
        joined.vendor,
        joined.account,
        joined.natural_id,
        cast(joined.version as integer) as version,
        joined.wire_key,
        cast(coalesce(joined.amount, journals.total_debit) as decimal(18, 2)) as amount,
        coalesce(joined.currency_code, journals.currency_code) as currency_code,
        joined.state,
        joined.reason,
        joined.proposed_at,
        joined.decided_at,
        joined.sent_at,
        joined.verified_at,
        joined.vendor_ids,
        joined.detail
    from joined
    left join marketplaces
        on joined.marketplace_code = marketplaces.marketplace_code
    left join journals
        on
            joined.kind = 'JOURNAL'
            and joined.marketplace_code = journals.marketplace_code
            and joined.wire_key = journals.wire_key

)

select * from final

-- One row per marketplace and movement of a shop's balance (Mirakl view: positive raises what the marketplace owes).
-- A type that the dated map does not know stays in every total with is_mapped = false; it is never dropped.
-- counts_in_net: part of the net of a cycle. Informative lines (NOT_APPLICABLE) and pay-outs are not.
-- A tax or fee that the operator remits itself (its OPERATOR_REMITTED_ twin exists) passes through; it touches no receivable.
-- The lines of one order hang together, so a patch brings all of them.
{{ config(meta={
    'patch_key': ['marketplace_code', 'transaction_line_id'],
    'patched_from': ['stg_mirakl__transaction_lines'],
}) }}

with
{%- if is_patched() %}
touched as (
    select
        marketplace_code,
        coalesce(order_id, transaction_line_id) as movement
    from {{ patch_of(ref('stg_mirakl__transaction_lines')) }}
    union
    -- Where the lines were before.
    select
        before.marketplace_code,
        coalesce(before.order_id, before.transaction_line_id) as movement
    from {{ this }} as before
    inner join {{ patch_of(ref('stg_mirakl__transaction_lines')) }} as patch
        on
            before.marketplace_code = patch.marketplace_code
            and before.transaction_line_id = patch.transaction_line_id
),

lines as (
    select lines.*
    from {{ ref('stg_mirakl__transaction_lines') }} as lines
    inner join touched
        on
            lines.marketplace_code = touched.marketplace_code
            and coalesce(lines.order_id, lines.transaction_line_id) = touched.movement
),
{%- else %}
lines as {{ inlined() }} (
    select * from {{ ref('stg_mirakl__transaction_lines') }}
),
{%- endif %}

-- Not int_ledger__marketplaces, which is another one every day and with every answer about the platform: lines stay as they are.
marketplaces as (
    select
        marketplaces.marketplace_code,
        marketplaces.perspective,
        marketplaces.shop_id,
        marketplaces.entity_code,
        marketplaces.go_live_date,
        marketplaces.posting_model,
        entities.time_zone
    from {{ ref('stg_tieout__marketplaces') }} as marketplaces
    inner join {{ ref('stg_tieout__entities') }} as entities
        on marketplaces.entity_code = entities.entity_code
    where marketplaces.is_enabled
),

types as (
    select * from {{ ref('int_ledger__transaction_types') }}
),

dated as {{ inlined() }} (
    select
        lines.*,
        marketplaces.entity_code,
        marketplaces.go_live_date,
        marketplaces.posting_model,
        marketplaces.perspective,
        {{ shop_of('lines.shop_id') }} as ledger_shop_id,
        {{ local_date('lines.created_at', 'marketplaces.time_zone') }} as line_date
    from lines
    inner join marketplaces
        on lines.marketplace_code = marketplaces.marketplace_code
),

remitted as (
    select
        marketplace_code,
        substr(transaction_type, length('OPERATOR_REMITTED_') + 1) as transaction_type,
        order_id,
        coalesce(order_line_id, '') as order_line_id,
        coalesce(refund_id, '') as refund_id
    from dated
    where
        transaction_type like 'OPERATOR\_REMITTED\_%' escape '\'
        and coalesce(payment_state, '') <> 'NOT_APPLICABLE'
    group by
        marketplace_code,
        transaction_type,
        order_id,
        coalesce(order_line_id, ''),
        coalesce(refund_id, '')
),

final as (
    select
        dated.marketplace_code,
        dated.entity_code,
        dated.ledger_shop_id as shop_id,
        dated.transaction_line_id,
        dated.transaction_type,
        coalesce(types.fee_type, 'UNMAPPED') as fee_type,
        coalesce(types.bucket, 'UNMAPPED') as bucket,
        case
            when remitted.transaction_type is not null then 'MARKETPLACE_TAX_PASSTHROUGH'
            when dated.posting_model = 'SETTLEMENT_LED' then types.settlement_led_role
            else types.account_role
        end as account_role,
        coalesce(types.is_tax, false) as is_tax,
        types.tax_of_type,
        types.transaction_type is not null
        and (
            case when dated.perspective = 'OPERATOR' then types.operator_role else types.account_role end is not null
            or not types.counts_in_net
        ) as is_mapped,
        coalesce(types.counts_in_net, true) and coalesce(dated.payment_state, '') <> 'NOT_APPLICABLE' as counts_in_net,
        {{ money('dated.amount') }} as amount,
        {{ money('coalesce(dated.amount_credited, 0)') }} as amount_credited,
        {{ money('coalesce(dated.amount_debited, 0)') }} as amount_debited,
        {{ money('dated.running_balance') }} as running_balance,
        dated.currency_code,
        dated.created_at,
        dated.line_date,
        dated.updated_at,
        dated.document_created_at,
        dated.payment_state,
        dated.billing_cycle_id,
        dated.document_number,
        dated.document_id,
        dated.voucher_number,
        dated.order_id,
        dated.order_line_id,
        dated.refund_id,
        coalesce(dated.fee_code, dated.order_fee_code) as fee_code,
        dated.shop_tax_rate,
        coalesce(dated.one_off_description, dated.manual_document_number) as description,
        coalesce(dated.line_date < dated.go_live_date, false) as is_before_go_live
    from dated
    left join types
        on
            dated.transaction_type = types.transaction_type
            and dated.line_date >= types.effective_from
            and (types.effective_until is null or dated.line_date < types.effective_until)
    left join remitted
        on
            dated.marketplace_code = remitted.marketplace_code
            and dated.order_id = remitted.order_id
            and coalesce(dated.order_line_id, '') = remitted.order_line_id
            and coalesce(dated.refund_id, '') = remitted.refund_id
            and dated.transaction_type = remitted.transaction_type
)

select * from final

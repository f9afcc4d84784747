-- Grain: one transaction line. Says what the line counts as: in which test, in which role, in the cycle's net or not.
-- Amounts are in the marketplace's view: positive raises what the marketplace owes the seller.
-- A line hangs on the other lines of its order (those without one on each other), on the currency of its cycle, and without a
-- cycle on whatever bears its voucher or document: a patch brings all of those.
{{ config(meta={
    'patch_key': ['marketplace_code', 'transaction_line_id'],
    'patched_from': ['int_ledger__settlement_lines', 'int_ledger__cycles'],
}) }}
with

lines as {{ inlined() }} (

    select * from {{ ref('int_ledger__settlement_lines') }}

),

cycles as (

    select * from {{ ref('int_ledger__cycles') }}

),

{% if is_patched() -%}
other_cycles as (

    -- Whose lines do not say any more what they said.
    select distinct
        before.marketplace_code,
        before.billing_cycle_id
    from {{ this }} as before
    left join cycles
        on
            before.marketplace_code = cycles.marketplace_code
            and before.billing_cycle_id = cycles.billing_cycle_id
    where
        before.is_in_net
        <> (before.counts_in_net and coalesce(before.currency_code = cycles.currency_code, true))

),

touched as (

    select
        lines.marketplace_code,
        coalesce(lines.order_id, lines.transaction_line_id) as movement
    from lines
    left join other_cycles
        on
            lines.marketplace_code = other_cycles.marketplace_code
            and lines.billing_cycle_id = other_cycles.billing_cycle_id
    where lines.order_id is null or lines.billing_cycle_id is null or other_cycles.billing_cycle_id is not null
    {%- if is_patched('int_ledger__settlement_lines') %}
    union
    select
        marketplace_code,
        coalesce(order_id, transaction_line_id) as movement
    from {{ patch_of(ref('int_ledger__settlement_lines')) }}
    {%- else %}
    group by lines.marketplace_code, coalesce(lines.order_id, lines.transaction_line_id)
    {%- endif %}

),

touched_lines as (

    select lines.*
    from lines
    inner join touched
        on
            lines.marketplace_code = touched.marketplace_code
            and coalesce(lines.order_id, lines.transaction_line_id) = touched.movement

),
{%- else -%}
touched_lines as {{ inlined() }} (

    select * from lines

),
{%- endif %}

open_documents as (

    select
        lines.marketplace_code,
        lines.shop_id,
        lines.document_number
    from lines
    where lines.billing_cycle_id is null and lines.document_number is not null
    group by lines.marketplace_code, lines.shop_id, lines.document_number

),

cycle_names as (

    -- A line without a cycle id is still found by its voucher, then by its document, where only one cycle
    -- of its shop uses them.
    select
        names.marketplace_code,
        names.shop_id,
        names.name_kind,
        names.name_text,
        min(names.billing_cycle_id) as billing_cycle_id
    from (
        select
            cycles.marketplace_code,
            cycles.shop_id,
            'VOUCHER' as name_kind,
            cycles.voucher_number as name_text,
            cycles.billing_cycle_id
        from cycles
        where cycles.voucher_number is not null
        union all
        select
            lines.marketplace_code,
            lines.shop_id,
            'DOCUMENT' as name_kind,
            lines.document_number as name_text,
            lines.billing_cycle_id
        from lines
        inner join open_documents
            on
                lines.marketplace_code = open_documents.marketplace_code
                and lines.shop_id = open_documents.shop_id
                and lines.document_number = open_documents.document_number
        where lines.billing_cycle_id is not null
    ) as names
    group by names.marketplace_code, names.shop_id, names.name_kind, names.name_text
    having min(names.billing_cycle_id) = max(names.billing_cycle_id)

),

classified as (

    select
        lines.marketplace_code,
        lines.entity_code,
        lines.shop_id,
        lines.transaction_line_id,
        lines.transaction_type,
        lines.fee_type,
        lines.bucket,
        lines.is_tax,
        lines.tax_of_type,
        lines.amount,
        lines.running_balance,
        lines.currency_code,
        lines.created_at,
        lines.updated_at,
        lines.line_date,
        lines.payment_state,
        coalesce(
            lines.billing_cycle_id, vouchers.billing_cycle_id, documents.billing_cycle_id
        ) as billing_cycle_id,
        lines.billing_cycle_id is not null as has_cycle_id,
        lines.document_number,
        lines.voucher_number,
        lines.order_id,
        lines.order_line_id,
        lines.refund_id,
        lines.fee_code,
        lines.shop_tax_rate,
        lines.account_role,
        lines.is_mapped,
        coalesce(lines.payment_state, '') = 'NOT_APPLICABLE' as is_informative,
        lines.counts_in_net,
        lines.is_before_go_live,
        case lines.transaction_type
            when 'ORDER_AMOUNT' then 'GOODS'
            when 'ORDER_AMOUNT_TAX' then 'GOODS'
            when 'ORDER_SHIPPING_AMOUNT' then 'SHIPPING'
            when 'ORDER_SHIPPING_AMOUNT_TAX' then 'SHIPPING'
            when 'COMMISSION_FEE' then 'COMMISSION'
            when 'COMMISSION_VAT' then 'COMMISSION_VAT'
            when 'REFUND_ORDER_AMOUNT' then 'REFUND_GOODS'
            when 'REFUND_ORDER_AMOUNT_TAX' then 'REFUND_GOODS'
            when 'REFUND_ORDER_SHIPPING_AMOUNT' then 'REFUND_SHIPPING'
            when 'REFUND_ORDER_SHIPPING_AMOUNT_TAX' then 'REFUND_SHIPPING'
            when 'REFUND_COMMISSION_FEE' then 'REFUND_COMMISSION'
            when 'REFUND_COMMISSION_VAT' then 'REFUND_COMMISSION_VAT'
            when 'SELLER_FEE_ON_ORDER' then 'FEE'
            when 'SELLER_PENALTY_FEE' then 'FEE'
            when 'SUBSCRIPTION_FEE' then 'FEE'
            when 'PAYMENT' then 'PAYMENT'
            else 'OTHER'
        end as component
    from touched_lines as lines
    left join cycle_names as vouchers
        on
            lines.billing_cycle_id is null
            and lines.marketplace_code = vouchers.marketplace_code
            and lines.shop_id = vouchers.shop_id
            and lines.voucher_number = vouchers.name_text
            and vouchers.name_kind = 'VOUCHER'
    left join cycle_names as documents
        on
            lines.billing_cycle_id is null
            and lines.marketplace_code = documents.marketplace_code
            and lines.shop_id = documents.shop_id
            and lines.document_number = documents.name_text
            and documents.name_kind = 'DOCUMENT'

),

digests as {{ inlined() }} (

    -- Few lines have a double: only those with one are sorted, found by a number instead of eight columns.
    select
        lines.marketplace_code,
        lines.shop_id,
        lines.order_id,
        lines.order_line_id,
        lines.refund_id,
        lines.transaction_type,
        lines.amount,
        coalesce(lines.payment_state, '') = 'NOT_APPLICABLE' as is_informative,
        lines.created_at,
        lines.transaction_line_id,
        {{ row_digest([
            'lines.marketplace_code', 'lines.order_id', 'lines.order_line_id', 'lines.refund_id',
            'lines.transaction_type', 'lines.amount'
        ]) }} as row_digest
    from touched_lines as lines

),

repeated as (

    select digests.row_digest
    from digests
    group by digests.row_digest
    having count(*) > 1

),

copies as (

    -- Equal in everything that tells one movement from another; whether the later one is a duplicate depends on
    -- what the order expects (two halves of a split shipment look the same).
    select
        digests.marketplace_code,
        digests.transaction_line_id,
        row_number() over (
            partition by
                digests.marketplace_code,
                digests.shop_id,
                digests.order_id,
                digests.order_line_id,
                digests.refund_id,
                digests.transaction_type,
                digests.amount,
                digests.is_informative
            order by digests.created_at, digests.transaction_line_id
        ) as copy_number
    from digests
    inner join repeated
        on digests.row_digest = repeated.row_digest

),

final as (

    select
        classified.*,
        -- What is in another currency than its cycle belongs to no sum of it; it only shows that currencies are mixed.
        classified.counts_in_net and coalesce(classified.currency_code = cycles.currency_code, true) as is_in_net,
        coalesce(copies.copy_number, 1) as copy_number
    from classified
    left join cycles
        on
            classified.marketplace_code = cycles.marketplace_code
            and classified.billing_cycle_id = cycles.billing_cycle_id
    left join copies
        on
            classified.marketplace_code = copies.marketplace_code
            and classified.transaction_line_id = copies.transaction_line_id
            and copies.copy_number > 1

)

select * from final

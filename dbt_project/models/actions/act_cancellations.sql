-- Grain: one order to cancel now on the side that does not know yet. ORDER_CANCELLATION: the marketplace cancelled or refused it, the ERP order
-- is live and nothing of it has left. CANCELATION: the ERP order was cancelled, and nobody has made another in the time that the import has, while
-- the marketplace still waits for goods. What has left is no row here but an exception (ORD-013, DSP-006), or a credit note and its refund. One that was turned down
-- or that the vendor refused is not proposed again: the exception stays, and a person decides.
with

pairs as (

    select * from {{ ref('int_matching__order_pairs') }}
    where
        erp_order_id is not null
        and not is_excluded

),

rules as (

    select * from {{ ref('stg_tieout__order_rules') }}
    where fulfilled_by in ('SELLER', 'MARKETPLACE')

),

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}

),

erps as (

    select * from {{ ref('stg_tieout__erps') }}

),

decided as (

    select
        pairs.*,
        erps.vendor as erp_vendor,
        marketplaces.vendor as marketplace_vendor,
        pairs.is_order_cancelled as is_in_erp
    from pairs
    inner join rules
        on pairs.marketplace_code = rules.marketplace_code
    inner join marketplaces
        on pairs.marketplace_code = marketplaces.marketplace_code
    inner join erps
        on pairs.erp_code = erps.erp_code
    where
        (
            -- Of two copies a person says which one goes (ORD-003).
            pairs.is_order_cancelled
            and pairs.live_copy_count = 1
            and pairs.erp_status in ('LIVE', 'ON_HOLD')
        )
        or (
            pairs.order_state in ('WAITING_DEBIT', 'WAITING_DEBIT_PAYMENT', 'SHIPPING')
            and pairs.live_copy_count = 0
            and pairs.erp_status = 'CANCELLED'
            and pairs.sync_due_at < {{ as_of() }}
        )

),

-- A cancelation of parts of an order (OR30) has a subject of its own.
earlier as (

    select distinct
        kind,
        marketplace_code,
        natural_id
    from {{ ref('int_ledger__outbox_actions') }}
    where
        kind in ('ORDER_CANCELLATION', 'CANCELATION')
        and state not in ('PROPOSED', 'APPROVED', 'SUPERSEDED')

),

lapsed as (

    select
        kind,
        marketplace_code,
        natural_id,
        count(*) as lapsed_count
    from {{ ref('int_ledger__outbox_actions') }}
    where
        kind in ('ORDER_CANCELLATION', 'CANCELATION')
        and state = 'SUPERSEDED'
    group by kind, marketplace_code, natural_id

),

keyed as (

    select
        decided.*,
        case when decided.is_in_erp then 'ORDER_CANCELLATION' else 'CANCELATION' end as kind
    from decided

),

due as (

    select
        keyed.*,
        1 + coalesce(lapsed.lapsed_count, 0) as version,
        keyed.kind || '|' || keyed.marketplace_code || '|' || keyed.order_id || '|'
        || cast(1 + coalesce(lapsed.lapsed_count, 0) as varchar) as action_key
    from keyed
    left join earlier
        on
            keyed.kind = earlier.kind
            and keyed.marketplace_code = earlier.marketplace_code
            and keyed.order_id = earlier.natural_id
    left join lapsed
        on
            keyed.kind = lapsed.kind
            and keyed.marketplace_code = lapsed.marketplace_code
            and keyed.order_id = lapsed.natural_id
    where earlier.natural_id is null

),

payloads as (

    select
        due.*,
        case
            when due.is_in_erp
                then
                    {{ json_object([
                        ('order_reference', 'due.order_id'),
                        ('customer_reference', 'due.erp_customer_reference'),
                        ('narrative', "'Cancelled: the marketplace order is ' || due.order_state"),
                    ]) }}
            else
                {{ json_object([
                    ('order_id', 'due.order_id'),
                    ('is_whole_order', 'true'),
                ]) }}
        end as payload
    from due

),

final as (

    select
        payloads.action_key,
        payloads.kind,
        case when payloads.is_in_erp then payloads.erp_vendor else payloads.marketplace_vendor end as vendor,
        case when payloads.is_in_erp then payloads.erp_code else payloads.marketplace_code end as account,
        payloads.marketplace_code,
        payloads.entity_code,
        payloads.order_id as natural_id,
        cast(payloads.version as integer) as version,
        {{ wire_key('payloads.action_key') }} as wire_key,
        -- What is taken off: a marketplace's cancelled order is worth nothing there any more.
        case when payloads.is_in_erp then payloads.erp_gross_amount else payloads.total_amount end as amount,
        payloads.currency_code,
        payloads.payload,
        case
            when payloads.is_in_erp
                then
                    'The order is ' || payloads.order_state || ' at the marketplace; ERP order ' || payloads.document_no
                    || ' is live and nothing of it has left.'
            else
                'ERP order ' || payloads.document_no || ' is cancelled; the marketplace still waits for the goods ('
                || payloads.order_state || ').'
        end as reason,
        {{ sha256_hex('payloads.payload') }} as source_hash
    from payloads

)

select * from final

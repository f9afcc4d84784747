-- Grain: one ERP order of our making that gets its delivery address now. The marketplace shows an address once it is paid for (SHIPPING), when
-- the ERP order has long been there. No personal data: the action names the order, and the address goes from one answer into the other call.
-- One that was tried is not proposed again by itself.
with

pairs as (

    select * from {{ ref('int_matching__order_pairs') }}
    where
        order_state = 'SHIPPING'
        and erp_status in ('LIVE', 'ON_HOLD')
        and live_copy_count = 1
        and not is_excluded

),

erps as (

    select * from {{ ref('stg_tieout__erps') }}

),

outbox as (

    select
        marketplace_code,
        natural_id,
        sum(case when kind = 'SALES_ORDER' and state in ('SENT', 'VERIFIED') then 1 else 0 end) as made_count,
        sum(case when kind = 'ORDER_ADDRESS' and state = 'SUPERSEDED' then 1 else 0 end) as lapsed_count,
        sum(
            case when kind = 'ORDER_ADDRESS' and state not in ('PROPOSED', 'APPROVED', 'SUPERSEDED') then 1 else 0 end
        ) as tried_count
    from {{ ref('int_ledger__outbox_actions') }}
    where kind in ('SALES_ORDER', 'ORDER_ADDRESS')
    group by marketplace_code, natural_id

),

due as (

    select
        pairs.*,
        erps.vendor,
        1 + outbox.lapsed_count as version,
        'ORDER_ADDRESS|' || pairs.marketplace_code || '|' || pairs.order_id || '|'
        || cast(1 + outbox.lapsed_count as varchar) as action_key,
        {{ json_object([
            ('order_reference', 'pairs.order_id'),
            ('customer_reference', 'pairs.erp_customer_reference'),
        ]) }} as payload
    from pairs
    inner join outbox
        on
            pairs.marketplace_code = outbox.marketplace_code
            and pairs.order_id = outbox.natural_id
    inner join erps
        on pairs.erp_code = erps.erp_code
    where outbox.made_count > 0 and outbox.tried_count = 0

),

final as (

    select
        due.action_key,
        'ORDER_ADDRESS' as kind,
        due.vendor,
        due.erp_code as account,
        due.marketplace_code,
        due.entity_code,
        due.order_id as natural_id,
        cast(due.version as integer) as version,
        {{ wire_key('due.action_key') }} as wire_key,
        cast(null as decimal(18, 2)) as amount,
        cast(null as varchar) as currency_code,
        due.payload,
        'The order is to be sent; ERP order ' || due.document_no || ' has no delivery address yet.' as reason,
        {{ sha256_hex('due.payload') }} as source_hash
    from due

)

select * from final

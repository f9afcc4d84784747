-- One row per line of an ERP despatch document: what left the warehouse, when, with whom, under which number. Quantities positive.
-- carrier_name as the ERP writes it (carriers.csv maps it); saved_at: since when the ERP has known of it.

with
{% if uses('sage200') -%}
sage200 as (
    select
        lines.erp_code,
        lines.despatch_line_id as dispatch_line_id,
        lines.despatch_no as dispatch_no,
        lines.sop_order_id as erp_order_id,
        order_lines.analysis_code_1 as order_line_id,
        lines.item_code,
        lines.quantity,
        lines.courier_name as carrier_name,
        lines.consignment_no as tracking_number,
        case when lines.consignment_no is null then 0 else 1 end as tracking_count,
        lines.despatch_date as dispatch_date,
        lines.saved_at
    from {{ ref('stg_sage200__despatch_lines') }} as lines
    left join {{ ref('stg_sage200__sop_order_lines') }} as order_lines
        on
            lines.erp_code = order_lines.erp_code
            and lines.sop_order_id = order_lines.sop_order_id
            and lines.sop_order_line_id = order_lines.sop_order_line_id
),

{% endif -%}
{% if uses('netsuite') -%}
numbers as (
    select
        erp_code,
        transaction_id,
        min(tracking_number) as tracking_number,
        count(distinct tracking_number) as tracking_count
    from {{ ref('stg_netsuite__tracking_numbers') }}
    where not is_gone
    group by erp_code, transaction_id
),

netsuite as (
    select
        lines.erp_code,
        lines.transaction_id || '-' || lines.line_id as dispatch_line_id,
        fulfilments.document_no as dispatch_no,
        fulfilments.created_from_id as erp_order_id,
        lines.memo as order_line_id,
        items.item_code,
        abs(lines.quantity) as quantity,
        fulfilments.ship_method_name as carrier_name,
        numbers.tracking_number,
        coalesce(numbers.tracking_count, 0) as tracking_count,
        fulfilments.document_date as dispatch_date,
        fulfilments.created_at as saved_at
    from {{ ref('stg_netsuite__document_lines') }} as lines
    inner join {{ ref('stg_netsuite__documents') }} as fulfilments
        on
            lines.erp_code = fulfilments.erp_code
            and lines.transaction_id = fulfilments.transaction_id
            and fulfilments.feed = 'fulfilments'
            -- Picked and packed goods are still in the house.
            and fulfilments.status_code = 'C'
            and not fulfilments.is_deleted
            and not fulfilments.is_voided
    left join numbers
        on
            lines.erp_code = numbers.erp_code
            and lines.transaction_id = numbers.transaction_id
    left join {{ ref('stg_netsuite__items') }} as items
        on
            lines.erp_code = items.erp_code
            and lines.item_id = items.item_id
    where
        lines.feed = 'fulfilment_lines'
        and not lines.is_gone
        and not lines.is_main_line
        and not lines.is_tax_line
        -- Goods that leave stand on a fulfilment twice: as what is given up, and as what it cost.
        and not lines.is_cost_line
        and not lines.is_kit_component
        and lines.item_id is not null
),

{% endif -%}
unioned as (
    {{ union_of_vendors(['sage200', 'netsuite']) }}
),

final as (
    select
        unioned.erp_code,
        unioned.dispatch_line_id,
        unioned.dispatch_no,
        unioned.erp_order_id,
        unioned.order_line_id,
        unioned.item_code,
        cast(unioned.quantity as decimal(18, 4)) as quantity,
        unioned.carrier_name,
        unioned.tracking_number,
        cast(unioned.tracking_count as bigint) as tracking_count,
        unioned.dispatch_date,
        unioned.saved_at
    from unioned
)

select * from final

-- One row per marketplace, subject and rule of level h: offers, warehouses, items. A discontinued item on sale is only that
-- (STK-003): its quantity is not judged a second time. Quantities in the offer's unit, free stock in the ERP's.

with expected as (
    select * from {{ ref('int_matching__stock_expected') }}
),

warehouses as (
    select * from {{ ref('int_ledger__warehouses') }}
),

quantity_tolerance as (
    select
        test_code,
        max(amount) as amount,
        max(percent) as percent
    from {{ ref('int_ledger__tolerances') }}
    where
        test_code = 'STOCK_QUANTITY'
        and effective_from <= cast({{ as_of() }} as date)
        and (effective_until is null or cast({{ as_of() }} as date) < effective_until)
    group by test_code
),

judged as (
    select
        expected.*,
        greatest(
            coalesce(quantity_tolerance.amount, 0),
            floor(expected.expected_quantity * coalesce(quantity_tolerance.percent, 0) * 0.01)
        ) as tolerance_quantity
    from expected
    left join quantity_tolerance
        on quantity_tolerance.test_code = 'STOCK_QUANTITY'
),

of_offers as (
    select
        marketplace_code,
        entity_code,
        'OFFER' as subject_type,
        shop_sku as subject_id,
        'OFFER_QUANTITY' as rule_code,
        case
            -- What the offer sells is not known for certain: level k says so, and no quantity is judged or sent.
            when not is_item_known or offer_count > 1 or item_count > 1 then 'EXCLUDED'
            when not is_sellable and (offer_quantity > 0 or is_offer_active) then 'EXCEPTION'
            when offer_quantity = expected_quantity then 'MATCHED'
            when abs(offer_quantity - expected_quantity) <= tolerance_quantity then 'MATCHED_WITHIN_TOLERANCE'
            else 'EXCEPTION'
        end as status,
        case
            when not is_sellable then 'STK-003'
            when is_held then 'STK-001'
            when offer_quantity < expected_quantity then 'STK-002'
            when buffer_quantity > 0 and offer_quantity = unbuffered_quantity then 'STK-006'
            else 'STK-001'
        end as exception_code,
        expected_quantity,
        offer_quantity as actual_quantity,
        tolerance_quantity,
        offer_id as left_id,
        item_code as right_id,
        item_code,
        case when is_held then 'FEED' end as root_subject_type,
        case when is_held then stale_feed end as root_subject_id,
        case
            when not is_sellable
                then
                    'item ' || item_code || ' may not be sold, but its offer shows '
                    || {{ whole_number('offer_quantity') }}
                    || case when is_offer_active then ' and is active' else '' end
            when is_held
                then
                    'offer ' || shop_sku || ' of a fast mover shows ' || {{ whole_number('offer_quantity') }}
                    || ' while its stock is not known: feed ' || stale_feed || ' is stale'
            else
                'offer ' || shop_sku || ' shows ' || {{ whole_number('offer_quantity') }} || ', expected '
                || {{ whole_number('expected_quantity') }} || ' = free ' || {{ whole_number('free_quantity') }}
                || ' - awaited ' || {{ whole_number('awaited_quantity') }} || ' - buffer '
                || {{ whole_number('buffer_quantity') }}
                || case
                    when share_percent < 100
                        then ', of which this marketplace has ' || {{ whole_number('share_percent') }} || ' per cent'
                    else ''
                end
        end as summary
    from judged
),

of_warehouses as (
    select
        marketplace_code,
        entity_code,
        'WAREHOUSE' as subject_type,
        warehouse_name as subject_id,
        'WAREHOUSE_MAPPED' as rule_code,
        case
            when is_mapped then 'MATCHED'
            when stocked_item_count = 0 then 'EXCLUDED'
            else 'EXCEPTION'
        end as status,
        'STK-004' as exception_code,
        cast(null as decimal(18, 4)) as expected_quantity,
        cast(null as decimal(18, 4)) as actual_quantity,
        cast(null as decimal(18, 4)) as tolerance_quantity,
        cast(null as varchar) as left_id,
        warehouse_name as right_id,
        cast(null as varchar) as item_code,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        'warehouse ' || warehouse_name || ' holds stock of ' || cast(stocked_item_count as varchar)
        || ' items and has no row in warehouses.csv' as summary
    from warehouses
),

of_items as (
    select
        marketplace_code,
        entity_code,
        'ITEM' as subject_type,
        item_code as subject_id,
        'FREE_STOCK_NOT_NEGATIVE' as rule_code,
        case when min(smallest_free_quantity) < 0 then 'EXCEPTION' else 'MATCHED' end as status,
        'STK-007' as exception_code,
        cast(0 as decimal(18, 4)) as expected_quantity,
        cast(min(smallest_free_quantity) as decimal(18, 4)) as actual_quantity,
        cast(0 as decimal(18, 4)) as tolerance_quantity,
        min(shop_sku) as left_id,
        item_code as right_id,
        item_code,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        'free stock of item ' || item_code || ' is negative in a warehouse for sale: '
        || {{ whole_number('min(smallest_free_quantity)') }} as summary
    from judged
    where is_item_known
    group by marketplace_code, entity_code, item_code
),

unioned as (
    select * from of_offers
    union all
    select * from of_warehouses
    union all
    select * from of_items
),

final as (
    select
        unioned.marketplace_code,
        unioned.entity_code,
        unioned.subject_type,
        unioned.subject_id,
        unioned.rule_code,
        unioned.status,
        case when unioned.status = 'EXCEPTION' then unioned.exception_code end as exception_code,
        cast(unioned.expected_quantity as decimal(18, 4)) as expected_quantity,
        cast(unioned.actual_quantity as decimal(18, 4)) as actual_quantity,
        cast(unioned.tolerance_quantity as decimal(18, 4)) as tolerance_quantity,
        unioned.left_id,
        unioned.right_id,
        unioned.item_code,
        case when unioned.status = 'EXCEPTION' then unioned.root_subject_type end as root_subject_type,
        case when unioned.status = 'EXCEPTION' then unioned.root_subject_id end as root_subject_id,
        case when unioned.status = 'EXCEPTION' then unioned.summary end as summary
    from unioned
)

select * from final

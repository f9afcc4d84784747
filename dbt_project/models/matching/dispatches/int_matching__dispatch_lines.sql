-- One row per order line of a marketplace with books in an ERP, and per line of an ERP order that despatched what the marketplace
-- never sold. What the marketplace says was sent (shipped_*) beside what the ERP despatched (despatched_*), by the pairs of level a.
-- Values tax included, in the order's currency. is_order_different: level a already says why the two cannot agree.

with orders as (
    select
        orders.*,
        marketplaces.has_books
    from {{ ref('int_ledger__orders') }} as orders
    inner join {{ ref('int_ledger__marketplaces') }} as marketplaces
        on orders.marketplace_code = marketplaces.marketplace_code
    where marketplaces.has_books
),

line_pairs as {{ inlined() }} (
    select * from {{ ref('int_matching__order_line_pairs') }}
),

-- Where orders travel in parcels, those say how much was sent; elsewhere a line is sent whole or not at all.
parcels as (
    select
        marketplace_code,
        order_line_id,
        cast(sum(case when is_sent then quantity else 0 end) as decimal(18, 4)) as quantity
    from {{ ref('int_ledger__parcels') }}
    group by marketplace_code, order_line_id
),

sold as (
    select
        order_lines.marketplace_code,
        order_lines.order_id,
        order_lines.order_line_id,
        order_lines.item_code,
        order_lines.is_cancelled,
        order_lines.quantity - order_lines.cancelled_quantity as due_quantity,
        case
            when parcels.order_line_id is not null then parcels.quantity
            when order_lines.shipped_at is not null and not order_lines.is_cancelled
                then order_lines.quantity - order_lines.cancelled_quantity
            else 0
        end as shipped_quantity,
        order_lines.shipped_at,
        order_lines.quantity as sold_quantity,
        order_lines.price_amount
        + case when orders.tax_mode = 'TAX_EXCLUDED' then order_lines.tax_amount else 0 end as sold_amount
    from {{ ref('int_ledger__order_lines') }} as order_lines
    inner join orders
        on
            order_lines.marketplace_code = orders.marketplace_code
            and order_lines.order_id = orders.order_id
    left join parcels
        on
            order_lines.marketplace_code = parcels.marketplace_code
            and order_lines.order_line_id = parcels.order_line_id
),

paired as (
    select
        sold.*,
        line_pairs.erp_order_line_id,
        coalesce(line_pairs.erp_despatched_quantity, 0) as despatched_quantity,
        -- What is on neither order, or on both alike, level a has nothing to say about.
        line_pairs.order_line_id is not null
        and (
            line_pairs.is_item_different
            or line_pairs.due_quantity <> line_pairs.erp_quantity
        ) as is_order_different
    from sold
    left join line_pairs
        on
            sold.marketplace_code = line_pairs.marketplace_code
            and sold.order_id = line_pairs.order_id
            and sold.order_line_id = line_pairs.order_line_id
            and line_pairs.is_in_marketplace
),

unsold as (
    select
        marketplace_code,
        order_id,
        order_line_id,
        erp_item_code as item_code,
        false as is_cancelled,
        cast(0 as decimal(18, 4)) as due_quantity,
        cast(0 as decimal(18, 4)) as shipped_quantity,
        cast(null as timestamp) as shipped_at,
        erp_quantity as sold_quantity,
        erp_gross_amount as sold_amount,
        erp_order_line_id,
        erp_despatched_quantity as despatched_quantity,
        true as is_order_different
    from line_pairs
    where not is_in_marketplace and erp_despatched_quantity > 0
),

unioned as (
    select * from paired
    union all
    select * from unsold
),

final as (
    select
        unioned.marketplace_code,
        unioned.order_id,
        unioned.order_line_id,
        unioned.erp_order_line_id,
        unioned.item_code,
        unioned.is_cancelled,
        cast(unioned.due_quantity as decimal(18, 4)) as due_quantity,
        cast(unioned.shipped_quantity as decimal(18, 4)) as shipped_quantity,
        cast(unioned.despatched_quantity as decimal(18, 4)) as despatched_quantity,
        {{ value_of_quantity('unioned.sold_amount', 'unioned.due_quantity', 'unioned.sold_quantity') }} as due_amount,
        {{ value_of_quantity('unioned.sold_amount', 'unioned.shipped_quantity', 'unioned.sold_quantity') }}
            as shipped_amount,
        {{ value_of_quantity('unioned.sold_amount', 'unioned.despatched_quantity', 'unioned.sold_quantity') }}
            as despatched_amount,
        unioned.shipped_at,
        unioned.is_order_different
    from unioned
)

select * from final

-- Grain: one thing to tell a marketplace about goods that have left: that they left (kind DISPATCH), or under which number they travel when
-- that became known later (kind TRACKING). A marketplace without parcels is told of an order once all of it has left; one with
-- parcels of every despatch document, by the part of it that it does not know yet. Nothing is said of an order that is not in SHIPPING.
with

dispatch_orders as {{ inlined() }} (

    select * from {{ ref('int_matching__dispatch_orders') }}

),

dispatch_lines as (

    select * from {{ ref('int_matching__dispatch_lines') }}

),

pairs as (

    select * from {{ ref('int_matching__order_pairs') }}
    where erp_order_id is not null

),

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}
    where has_books

),

documents as (

    select * from {{ ref('int_matching__dispatch_documents') }}

),

carriers as (

    select * from {{ ref('int_ledger__carriers') }}

),

parcels as (

    select * from {{ ref('int_ledger__parcels') }}
    where shipment_state <> 'CANCELED'

),

earlier as (

    select
        kind,
        marketplace_code,
        natural_id,
        sum(case when is_ended then 1 else 0 end) as ended_count,
        sum(case when state in ('SENDING', 'SENT', 'UNKNOWN', 'VERIFIED') then 1 else 0 end) as done_count
    from {{ ref('int_ledger__outbox_actions') }}
    where kind in ('DISPATCH', 'TRACKING')
    group by kind, marketplace_code, natural_id

),

-- How each despatch document travels, in the marketplace's words. Where it takes registered carriers only, an unmapped one is left out.
told_documents as (

    select
        documents.*,
        marketplaces.has_parcels,
        case when carriers.is_listed then carriers.carrier_code end as carrier_code,
        case
            when carriers.is_listed and carriers.carrier_code is not null then null
            when marketplaces.is_free_carrier_allowed then documents.carrier_name
        end as free_carrier_name,
        case
            when carriers.is_listed and carriers.carrier_code is not null then null
            when marketplaces.is_free_carrier_allowed
                then replace(carriers.tracking_url, '{number}', coalesce(documents.tracking_number, ''))
        end as tracking_url
    from documents
    inner join marketplaces
        on documents.marketplace_code = marketplaces.marketplace_code
    left join carriers
        on
            documents.marketplace_code = carriers.marketplace_code
            and documents.carrier_name = carriers.erp_carrier

),

-- Whole orders: the marketplace shows one parcel, the last that has a number.
order_documents as (

    select *
    from (
        select
            told_documents.*,
            row_number() over (
                partition by told_documents.marketplace_code, told_documents.order_id
                order by
                    case when told_documents.tracking_number is null then 1 else 0 end,
                    told_documents.saved_at desc,
                    told_documents.dispatch_no desc
            ) as choice
        from told_documents
    ) as ranked
    where choice = 1

),

due_lines as (

    select
        marketplace_code,
        order_id,
        order_line_id,
        due_quantity,
        despatched_quantity
    from dispatch_lines
    where due_quantity > 0

),

whole_orders as (

    select
        due_lines.marketplace_code,
        due_lines.order_id,
        {{ json_array_agg(
            json_object([
                ('order_line_id', 'due_lines.order_line_id'),
                ('quantity', 'cast(due_lines.due_quantity as bigint)'),
            ]),
            'due_lines.order_line_id'
        ) }} as lines_json
    from due_lines
    group by due_lines.marketplace_code, due_lines.order_id
    having sum(case when due_lines.despatched_quantity < due_lines.due_quantity then 1 else 0 end) = 0

),

-- Parcels: what of each document and line goes beyond what the marketplace's parcels hold already, and never beyond what is due.
document_lines as (

    select
        pairs.marketplace_code,
        pairs.order_id,
        dispatches.dispatch_no,
        dispatches.order_line_id,
        min(dispatches.saved_at) as saved_at,
        sum(dispatches.quantity) as quantity
    from {{ ref('int_ledger__erp_dispatches') }} as dispatches
    inner join pairs
        on
            dispatches.erp_code = pairs.erp_code
            and dispatches.erp_order_id = pairs.erp_order_id
    inner join marketplaces
        on
            pairs.marketplace_code = marketplaces.marketplace_code
            and marketplaces.has_parcels
    group by pairs.marketplace_code, pairs.order_id, dispatches.dispatch_no, dispatches.order_line_id

),

told_lines as (

    select
        marketplace_code,
        order_line_id,
        sum(quantity) as quantity
    from parcels
    group by marketplace_code, order_line_id

),

running_lines as (

    select
        document_lines.*,
        sum(document_lines.quantity) over (
            partition by document_lines.marketplace_code, document_lines.order_line_id
            order by document_lines.saved_at, document_lines.dispatch_no
            rows between unbounded preceding and current row
        ) as quantity_until_now
    from document_lines

),

new_lines as (

    select
        running_lines.marketplace_code,
        running_lines.order_id,
        running_lines.dispatch_no,
        running_lines.order_line_id,
        cast(greatest(
            0,
            least(running_lines.quantity_until_now, due_lines.due_quantity)
            - greatest(running_lines.quantity_until_now - running_lines.quantity, coalesce(told_lines.quantity, 0))
        ) as bigint) as quantity
    from running_lines
    inner join due_lines
        on
            running_lines.marketplace_code = due_lines.marketplace_code
            and running_lines.order_line_id = due_lines.order_line_id
    left join told_lines
        on
            running_lines.marketplace_code = told_lines.marketplace_code
            and running_lines.order_line_id = told_lines.order_line_id

),

new_parcels as (

    select
        new_lines.marketplace_code,
        new_lines.order_id,
        new_lines.dispatch_no,
        {{ json_array_agg(
            json_object([
                ('order_line_id', 'new_lines.order_line_id'),
                ('quantity', 'new_lines.quantity'),
            ]),
            'new_lines.order_line_id'
        ) }} as lines_json
    from new_lines
    where new_lines.quantity > 0
    group by new_lines.marketplace_code, new_lines.order_id, new_lines.dispatch_no

),

-- A parcel that was told without a number, and the one document whose number no parcel of the order has.
bare_parcels as (

    select
        parcels.marketplace_code,
        parcels.order_id,
        min(parcels.shipment_id) as shipment_id
    from parcels
    where parcels.tracking_number is null and parcels.shipment_state in ('SHIPPED', 'TO_COLLECT')
    group by parcels.marketplace_code, parcels.order_id
    having count(distinct parcels.shipment_id) = 1

),

untold_numbers as (

    select
        told_documents.marketplace_code,
        told_documents.order_id,
        min(told_documents.dispatch_no) as dispatch_no
    from told_documents
    left join parcels
        on
            told_documents.marketplace_code = parcels.marketplace_code
            and told_documents.order_id = parcels.order_id
            and told_documents.tracking_number = parcels.tracking_number
    where told_documents.has_parcels and told_documents.tracking_number is not null and parcels.shipment_id is null
    group by told_documents.marketplace_code, told_documents.order_id
    having count(distinct told_documents.dispatch_no) = 1

),

wanted as (

    select
        'DISPATCH' as kind,
        dispatch_orders.marketplace_code,
        dispatch_orders.entity_code,
        dispatch_orders.order_id,
        dispatch_orders.order_id as natural_id,
        cast(null as varchar) as shipment_id,
        order_documents.dispatch_no,
        order_documents.carrier_code,
        order_documents.free_carrier_name,
        order_documents.tracking_number,
        order_documents.tracking_url,
        whole_orders.lines_json,
        dispatch_orders.despatched_amount as amount,
        dispatch_orders.currency_code,
        'Order ' || dispatch_orders.order_id || ' left the warehouse (ERP order ' || dispatch_orders.document_no
        || ') and still waits for shipment at the marketplace.' as reason
    from dispatch_orders
    inner join marketplaces
        on
            dispatch_orders.marketplace_code = marketplaces.marketplace_code
            and not marketplaces.has_parcels
    inner join whole_orders
        on
            dispatch_orders.marketplace_code = whole_orders.marketplace_code
            and dispatch_orders.order_id = whole_orders.order_id
    left join order_documents
        on
            dispatch_orders.marketplace_code = order_documents.marketplace_code
            and dispatch_orders.order_id = order_documents.order_id
    where
        dispatch_orders.order_state = 'SHIPPING'
        and not dispatch_orders.is_excluded
        and dispatch_orders.despatched_quantity > 0
    union all
    select
        'DISPATCH' as kind,
        dispatch_orders.marketplace_code,
        dispatch_orders.entity_code,
        dispatch_orders.order_id,
        dispatch_orders.order_id || '/' || new_parcels.dispatch_no as natural_id,
        cast(null as varchar) as shipment_id,
        new_parcels.dispatch_no,
        told_documents.carrier_code,
        told_documents.free_carrier_name,
        told_documents.tracking_number,
        told_documents.tracking_url,
        new_parcels.lines_json,
        cast(dispatch_orders.despatched_amount - dispatch_orders.shipped_amount as decimal(18, 2)) as amount,
        dispatch_orders.currency_code,
        'Despatch ' || new_parcels.dispatch_no || ' of order ' || dispatch_orders.order_id
        || ' left the warehouse and is in no parcel of the marketplace.' as reason
    from new_parcels
    inner join dispatch_orders
        on
            new_parcels.marketplace_code = dispatch_orders.marketplace_code
            and new_parcels.order_id = dispatch_orders.order_id
    left join told_documents
        on
            new_parcels.marketplace_code = told_documents.marketplace_code
            and new_parcels.order_id = told_documents.order_id
            and new_parcels.dispatch_no = told_documents.dispatch_no
    where dispatch_orders.order_state = 'SHIPPING' and not dispatch_orders.is_excluded
    union all
    select
        'TRACKING' as kind,
        told_documents.marketplace_code,
        told_documents.entity_code,
        told_documents.order_id,
        told_documents.order_id || coalesce('/' || bare_parcels.shipment_id, '') as natural_id,
        bare_parcels.shipment_id,
        told_documents.dispatch_no,
        told_documents.carrier_code,
        told_documents.free_carrier_name,
        told_documents.tracking_number,
        told_documents.tracking_url,
        cast(null as varchar) as lines_json,
        cast(null as decimal(18, 2)) as amount,
        cast(null as varchar) as currency_code,
        'The marketplace shows no tracking number of order ' || told_documents.order_id || '; despatch '
        || told_documents.dispatch_no || ' went under ' || told_documents.tracking_number || '.' as reason
    from told_documents
    left join order_documents
        on
            told_documents.marketplace_code = order_documents.marketplace_code
            and told_documents.order_id = order_documents.order_id
            and told_documents.dispatch_no = order_documents.dispatch_no
    left join untold_numbers
        on
            told_documents.marketplace_code = untold_numbers.marketplace_code
            and told_documents.order_id = untold_numbers.order_id
            and told_documents.dispatch_no = untold_numbers.dispatch_no
    left join bare_parcels
        on
            untold_numbers.marketplace_code = bare_parcels.marketplace_code
            and untold_numbers.order_id = bare_parcels.order_id
    where
        told_documents.status <> 'EXCLUDED'
        and told_documents.is_followed
        and told_documents.tracking_number is not null
        and coalesce(told_documents.carrier_code, told_documents.free_carrier_name) is not null
        and (
            bare_parcels.shipment_id is not null
            or (
                not told_documents.has_parcels
                and told_documents.shipping_tracking is null
                and order_documents.dispatch_no is not null
            )
        )

),

versioned as (

    select
        wanted.*,
        cast(1 + coalesce(earlier.ended_count, 0) as integer) as version
    from wanted
    left join earlier
        on
            wanted.kind = earlier.kind
            and wanted.marketplace_code = earlier.marketplace_code
            and wanted.natural_id = earlier.natural_id
    where coalesce(earlier.done_count, 0) = 0

),

rendered as (

    select
        versioned.*,
        versioned.kind || '|' || versioned.marketplace_code || '|' || versioned.natural_id || '|'
        || cast(versioned.version as varchar) as action_key,
        {{ json_object([
            ('order_id', 'versioned.order_id'),
            ('shipment_id', 'versioned.shipment_id'),
            ('despatch', 'versioned.dispatch_no'),
            ('carrier_code', 'versioned.carrier_code'),
            ('carrier_name', 'versioned.free_carrier_name'),
            (
                'tracking_number',
                'case when versioned.carrier_code is not null or versioned.free_carrier_name is not null'
                ~ ' then versioned.tracking_number end'
            ),
            ('tracking_url', 'versioned.tracking_url'),
            ('lines', json_raw('versioned.lines_json')),
        ]) }} as payload
    from versioned

),

final as (

    select
        rendered.action_key,
        rendered.kind,
        marketplaces.vendor,
        rendered.marketplace_code as account,
        rendered.marketplace_code,
        rendered.entity_code,
        rendered.natural_id,
        rendered.version,
        -- The same for every version: a shipment that came late is found by it.
        {{ wire_key("rendered.kind || '|' || rendered.marketplace_code || '|' || rendered.natural_id") }} as wire_key,
        rendered.amount,
        rendered.currency_code,
        rendered.payload,
        rendered.reason,
        {{ sha256_hex('rendered.payload') }} as source_hash
    from rendered
    inner join marketplaces
        on rendered.marketplace_code = marketplaces.marketplace_code

)

select * from final

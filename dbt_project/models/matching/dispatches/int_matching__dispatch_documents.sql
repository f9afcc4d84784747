-- One row per despatch document of an ERP order of a marketplace: do the buyer's carrier and number agree with the warehouse's?
-- Once the buyer has the goods nobody needs to follow them: what is wrong then is EXCLUDED. problem_code says what is wrong.

with pairs as (
    select * from {{ ref('int_matching__order_pairs') }}
    where erp_order_id is not null
),

orders as (
    select * from {{ ref('int_ledger__orders') }}
),

documents as (
    select
        erp_code,
        erp_order_id,
        dispatch_no,
        min(carrier_name) as carrier_name,
        min(tracking_number) as tracking_number,
        max(tracking_count) as tracking_count,
        min(dispatch_date) as dispatch_date,
        min(saved_at) as saved_at,
        cast(sum(quantity) as decimal(18, 4)) as quantity
    from {{ ref('int_ledger__erp_dispatches') }}
    group by erp_code, erp_order_id, dispatch_no
),

counted as (
    select
        documents.*,
        count(*) over (partition by documents.erp_code, documents.erp_order_id) as document_count
    from documents
),

carriers as (
    select * from {{ ref('int_ledger__carriers') }}
),

joined as (
    select
        pairs.marketplace_code,
        pairs.entity_code,
        pairs.order_id,
        pairs.order_state,
        pairs.is_excluded,
        pairs.document_no,
        pairs.currency_code,
        counted.dispatch_no,
        counted.dispatch_date,
        counted.saved_at,
        counted.quantity,
        counted.carrier_name,
        counted.tracking_number,
        counted.tracking_count,
        counted.document_count,
        orders.shipping_carrier_code,
        orders.shipping_tracking,
        pairs.order_state in ('SHIPPED', 'TO_COLLECT') as is_followed,
        carriers.erp_carrier is not null as is_mapped,
        carriers.carrier_code as mapped_carrier_code,
        coalesce(carriers.is_listed, true) as is_listed,
        coalesce(carriers.is_tracked, true) as is_tracked
    from pairs
    inner join counted
        on
            pairs.erp_code = counted.erp_code
            and pairs.erp_order_id = counted.erp_order_id
    inner join orders
        on
            pairs.marketplace_code = orders.marketplace_code
            and pairs.order_id = orders.order_id
    left join carriers
        on
            pairs.marketplace_code = carriers.marketplace_code
            and counted.carrier_name = carriers.erp_carrier
),

judged as (
    select
        joined.*,
        case
            when joined.carrier_name is null and joined.shipping_carrier_code is null then 'NO_CARRIER'
            when joined.carrier_name is not null and not joined.is_mapped then 'UNMAPPED'
            when not joined.is_listed then 'UNKNOWN'
            when joined.is_tracked and joined.shipping_tracking is null and joined.is_followed then 'NOT_TOLD'
            when joined.is_tracked and coalesce(joined.tracking_number, joined.shipping_tracking) is null
                then 'NO_NUMBER'
            -- One parcel with one number on either side: they must be the same. Of several the marketplace shows one.
            when
                joined.is_followed and joined.document_count = 1
                and joined.shipping_carrier_code <> joined.mapped_carrier_code
                then 'OTHER_CARRIER'
            when
                joined.is_followed and joined.document_count = 1 and joined.tracking_count = 1
                and joined.shipping_tracking <> joined.tracking_number
                then 'OTHER_NUMBER'
        end as problem_code
    from joined
),

final as (
    select
        judged.marketplace_code,
        judged.entity_code,
        judged.order_id,
        judged.document_no,
        judged.currency_code,
        judged.dispatch_no,
        judged.dispatch_date,
        judged.saved_at,
        judged.quantity,
        judged.carrier_name,
        judged.tracking_number,
        judged.shipping_carrier_code,
        judged.shipping_tracking,
        judged.problem_code,
        judged.is_followed,
        case
            when judged.is_excluded then 'EXCLUDED'
            when judged.problem_code is null then 'MATCHED'
            when judged.order_state in ('RECEIVED', 'CLOSED', 'CANCELED', 'REFUSED') then 'EXCLUDED'
            else 'EXCEPTION'
        end as status,
        'despatch ' || judged.dispatch_no || ' of order ' || judged.order_id || ' on '
        || cast(judged.dispatch_date as varchar)
        || case judged.problem_code
            when 'NO_CARRIER' then ' names no carrier, and the marketplace was told none'
            when 'UNMAPPED'
                then ' went with ' || judged.carrier_name || ', which has no row in carriers.csv for this marketplace'
            when 'UNKNOWN'
                then
                    ' went with ' || judged.carrier_name || ', mapped to ' || judged.mapped_carrier_code
                    || ', which the marketplace does not list'
            when 'NOT_TOLD'
                then
                    ' went with ' || coalesce(judged.carrier_name, 'an unnamed carrier') || ' under '
                    || coalesce('number ' || judged.tracking_number, 'no number')
                    || '; the marketplace shows the buyer no tracking number'
            when 'NO_NUMBER'
                then
                    ' went with ' || coalesce(judged.carrier_name, 'an unnamed carrier')
                    || ' without a tracking number'
            when 'OTHER_CARRIER'
                then
                    ' went with ' || judged.carrier_name || ' (' || judged.mapped_carrier_code
                    || '), but the marketplace shows ' || judged.shipping_carrier_code
            when 'OTHER_NUMBER'
                then
                    ' went under number ' || judged.tracking_number || ', but the marketplace shows '
                    || judged.shipping_tracking
        end as summary
    from judged
)

select * from final

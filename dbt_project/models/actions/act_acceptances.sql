-- Grain: one order that waits for acceptance and can be decided now, every line of it at once. Accepted once the ERP order was read back (or
-- by policy as soon as nothing keeps it out of the ERP), refused only for the reasons that order_rules.csv names. While the ERP order is being
-- created its acceptance stands beside it already, with only_after in the payload: the outbox lets it go when that order has been read back.
with

pairs as (

    select * from {{ ref('int_matching__order_pairs') }}
    where
        order_state = 'WAITING_ACCEPTANCE'
        and not is_excluded

),

rules as (

    select * from {{ ref('stg_tieout__order_rules') }}
    where fulfilled_by = 'SELLER'

),

imports as (

    select * from {{ ref('int_matching__order_imports') }}

),

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}

),

earlier as (

    select
        marketplace_code,
        natural_id,
        sum(case when is_ended then 1 else 0 end) as ended_count,
        sum(case when state in ('SENDING', 'SENT', 'UNKNOWN', 'REJECTED') then 1 else 0 end) as settled_count
    from {{ ref('int_ledger__outbox_actions') }}
    where kind = 'ACCEPTANCE'
    group by marketplace_code, natural_id

),

creations as (

    select
        ranked.marketplace_code,
        ranked.natural_id,
        ranked.state
    from (
        select
            marketplace_code,
            natural_id,
            state,
            row_number() over (partition by marketplace_code, natural_id order by version desc) as newness
        from {{ ref('int_ledger__outbox_actions') }}
        where kind = 'SALES_ORDER'
    ) as ranked
    where ranked.newness = 1

),

to_create as (

    select
        marketplace_code,
        natural_id
    from {{ ref('act_orders') }}

),

judged as (

    select
        pairs.*,
        -- The same before and after the ERP order was read, so that the acceptance is not proposed anew in between.
        case
            when
                rules.accept_when = 'IN_ERP'
                and (pairs.erp_order_id is null or creations.state = 'VERIFIED')
                and not coalesce(pairs.is_erp_cancelled, false)
                then 'SALES_ORDER'
        end as only_after,
        marketplaces.vendor,
        imports.obstacle,
        imports.obstacle_words,
        1 + coalesce(earlier.ended_count, 0) as version,
        case
            when
                pairs.erp_order_id is not null
                and not pairs.is_erp_cancelled
                and rules.accept_when <> 'NEVER'
                then 'ACCEPT'
            when
                pairs.erp_order_id is not null
                and pairs.is_erp_cancelled
                and rules.refuse_when like '%|CANCELLED_IN_ERP|%'
                then 'REFUSE'
            when
                pairs.erp_order_id is null
                and imports.order_id is not null
                and imports.obstacle is null
                and rules.accept_when = 'CREATABLE'
                then 'ACCEPT'
            -- An order that the ERP refused once is accepted when the ERP shows it.
            when
                pairs.erp_order_id is null
                and imports.order_id is not null
                and imports.obstacle is null
                and rules.accept_when = 'IN_ERP'
                and (
                    creations.state in ('SENDING', 'SENT', 'UNKNOWN')
                    or (
                        to_create.natural_id is not null
                        and coalesce(creations.state, 'SUPERSEDED') in ('PROPOSED', 'APPROVED', 'SUPERSEDED')
                    )
                )
                then 'ACCEPT'
            when pairs.erp_order_id is null and rules.refuse_when like '%|' || imports.obstacle || '|%' then 'REFUSE'
        end as decision
    from pairs
    inner join rules
        on pairs.marketplace_code = rules.marketplace_code
    inner join marketplaces
        on pairs.marketplace_code = marketplaces.marketplace_code
    left join imports
        on
            pairs.marketplace_code = imports.marketplace_code
            and pairs.order_id = imports.order_id
    left join earlier
        on
            pairs.marketplace_code = earlier.marketplace_code
            and pairs.order_id = earlier.natural_id
    left join creations
        on
            pairs.marketplace_code = creations.marketplace_code
            and pairs.order_id = creations.natural_id
    left join to_create
        on
            pairs.marketplace_code = to_create.marketplace_code
            and pairs.order_id = to_create.natural_id
    where
        coalesce(earlier.settled_count, 0) = 0
        -- A copy too many is settled in the ERP first.
        and pairs.live_copy_count <= 1

),

line_texts as (

    select
        judged.marketplace_code,
        judged.order_id,
        {{ json_array_agg(
            json_object([
                ('id', 'order_lines.order_line_id'),
                ('accepted', "judged.decision = 'ACCEPT'"),
            ]),
            'order_lines.order_line_id'
        ) }} as lines_json
    from judged
    inner join {{ ref('int_ledger__order_lines') }} as order_lines
        on
            judged.marketplace_code = order_lines.marketplace_code
            and judged.order_id = order_lines.order_id
    where judged.decision is not null
    group by judged.marketplace_code, judged.order_id

),

payloads as (

    select
        judged.*,
        'ACCEPTANCE|' || judged.marketplace_code || '|' || judged.order_id || '|' || cast(judged.version as varchar)
            as action_key,
        {{ json_object([
            ('order_id', 'judged.order_id'),
            ('due_at', 'cast(judged.acceptance_due_at as varchar)'),
            ('order_lines', json_raw('line_texts.lines_json')),
            ('only_after', "case when judged.decision = 'ACCEPT' then judged.only_after end"),
        ]) }} as payload
    from judged
    inner join line_texts
        on
            judged.marketplace_code = line_texts.marketplace_code
            and judged.order_id = line_texts.order_id

),

final as (

    select
        payloads.action_key,
        'ACCEPTANCE' as kind,
        payloads.vendor,
        payloads.marketplace_code as account,
        payloads.marketplace_code,
        payloads.entity_code,
        payloads.order_id as natural_id,
        cast(payloads.version as integer) as version,
        {{ wire_key('payloads.action_key') }} as wire_key,
        payloads.total_amount as amount,
        payloads.currency_code,
        payloads.payload,
        case
            when payloads.decision = 'ACCEPT' and payloads.document_no is not null
                then 'ERP order ' || payloads.document_no || ' holds the order'
            when payloads.decision = 'ACCEPT' and payloads.only_after is not null
                then 'The ERP order is being created; accepted once it was read back'
            when payloads.decision = 'ACCEPT' then 'The policy accepts before the ERP holds the order'
            when payloads.obstacle is not null then 'Refused by policy: ' || payloads.obstacle_words
            else 'Refused by policy: ERP order ' || payloads.document_no || ' is cancelled'
        end || '; the operator waits until ' || cast(payloads.acceptance_due_at as varchar) || ' UTC.' as reason,
        {{ sha256_hex('payloads.payload') }} as source_hash
    from payloads

)

select * from final

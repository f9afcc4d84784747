-- One row per marketplace and billing cycle of a shop: those that SBC11 declares and those that only lines name (is_declared =
-- false, nothing transferred). cycle_date is the date of the settlement journal, in the entity's time zone.

with declared as (
    select * from {{ ref('stg_mirakl__billing_cycles') }}
),

named as (
    select
        marketplace_code,
        billing_cycle_id,
        min(shop_id) as shop_id,
        min(currency_code) as currency_code,
        max(voucher_number) as voucher_number,
        coalesce(max(document_created_at), max(created_at)) as created_at
    from {{ ref('stg_mirakl__transaction_lines') }}
    where billing_cycle_id is not null
    group by marketplace_code, billing_cycle_id
),

marketplaces as (
    select * from {{ ref('int_ledger__marketplaces') }}
),

joined as (
    select
        coalesce(declared.marketplace_code, named.marketplace_code) as marketplace_code,
        coalesce(declared.billing_cycle_id, named.billing_cycle_id) as billing_cycle_id,
        declared.billing_cycle_id is not null as is_declared,
        coalesce(declared.shop_id, named.shop_id) as record_shop_id,
        coalesce(declared.created_at, named.created_at) as created_at,
        coalesce(declared.currency_code, named.currency_code) as currency_code,
        coalesce(declared.transferred_to_seller_amount, 0) as transferred_to_seller_amount,
        coalesce(declared.transferred_to_operator_amount, 0) as transferred_to_operator_amount,
        declared.pay_out_state,
        declared.pay_out_reference,
        declared.pay_out_at,
        declared.pay_out_failure_reason,
        coalesce(declared.voucher_number, named.voucher_number) as voucher_number
    from declared
    full outer join named
        on
            declared.marketplace_code = named.marketplace_code
            and declared.billing_cycle_id = named.billing_cycle_id
),

dated as (
    select
        joined.*,
        marketplaces.entity_code,
        marketplaces.go_live_date,
        {{ shop_of('joined.record_shop_id') }} as shop_id,
        {{ local_date('joined.created_at', 'marketplaces.time_zone') }} as cycle_date,
        {{ local_date('joined.pay_out_at', 'marketplaces.time_zone') }} as pay_out_date
    from joined
    inner join marketplaces
        on joined.marketplace_code = marketplaces.marketplace_code
),

final as (
    select
        dated.marketplace_code,
        dated.entity_code,
        dated.shop_id,
        dated.billing_cycle_id,
        dated.is_declared,
        dated.created_at,
        dated.cycle_date,
        dated.currency_code,
        {{ money('dated.transferred_to_seller_amount') }} as transferred_to_seller_amount,
        {{ money('dated.transferred_to_operator_amount') }} as transferred_to_operator_amount,
        dated.pay_out_state,
        dated.pay_out_reference,
        dated.pay_out_date,
        dated.pay_out_failure_reason,
        dated.voucher_number,
        coalesce(dated.cycle_date < dated.go_live_date, false) as is_excluded
    from dated
)

select * from final

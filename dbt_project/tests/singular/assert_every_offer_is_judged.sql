-- Claim: every SKU that is offered has exactly one row in level h. When red, the stock models lose or double offers.

with offers as (
    select
        marketplace_code,
        shop_sku
    from {{ ref('int_ledger__offers') }}
    where shop_sku is not null
    group by marketplace_code, shop_sku
),

judged as (
    select
        marketplace_code,
        subject_id,
        count(*) as row_count
    from {{ ref('rec_stock') }}
    where subject_type = 'OFFER'
    group by marketplace_code, subject_id
)

select
    offers.marketplace_code,
    offers.shop_sku,
    coalesce(judged.row_count, 0) as row_count
from offers
left join judged
    on
        offers.marketplace_code = judged.marketplace_code
        and offers.shop_sku = judged.subject_id
where coalesce(judged.row_count, 0) <> 1

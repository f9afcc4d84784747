-- Claim: every SKU that is offered on a marketplace with books in an ERP has exactly one row in level h, and one of each of the four rules for offers in
-- level k. When red, the stock or offer models lose or double offers.

with offers as (
    select
        offers.marketplace_code,
        offers.shop_sku
    from {{ ref('int_ledger__offers') }} as offers
    inner join {{ ref('int_ledger__marketplaces') }} as marketplaces
        on offers.marketplace_code = marketplaces.marketplace_code
    where offers.shop_sku is not null and marketplaces.has_books
    group by offers.marketplace_code, offers.shop_sku
),

judged as (
    select
        marketplace_code,
        subject_id,
        count(*) as row_count
    from {{ ref('rec_stock') }}
    where subject_type = 'OFFER'
    group by marketplace_code, subject_id
),

judged_as_offers as (
    select
        marketplace_code,
        subject_id,
        count(*) as row_count
    from {{ ref('rec_offers') }}
    where subject_type = 'OFFER'
    group by marketplace_code, subject_id
)

select
    offers.marketplace_code,
    offers.shop_sku,
    coalesce(judged.row_count, 0) as row_count,
    coalesce(judged_as_offers.row_count, 0) as offer_row_count
from offers
left join judged
    on
        offers.marketplace_code = judged.marketplace_code
        and offers.shop_sku = judged.subject_id
left join judged_as_offers
    on
        offers.marketplace_code = judged_as_offers.marketplace_code
        and offers.shop_sku = judged_as_offers.subject_id
where coalesce(judged.row_count, 0) <> 1 or coalesce(judged_as_offers.row_count, 0) <> 4

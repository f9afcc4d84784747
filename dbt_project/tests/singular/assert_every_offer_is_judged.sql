-- Claim: every SKU that is offered on a marketplace with books in an ERP has exactly one row in level h. When red, the stock models lose or double offers.

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

-- One row per ERP company and tax code as people know it, with the rate that the ERP computes with now.

with
{% if uses('sage200') -%}
sage200 as (
    select
        codes.erp_code,
        codes.tax_code,
        codes.rate_percent
    from {{ ref('stg_sage200__tax_codes') }} as codes
),

{% endif -%}
{% if uses('netsuite') -%}
netsuite as (
    select
        codes.erp_code,
        codes.tax_code,
        codes.rate_percent
    from {{ ref('stg_netsuite__tax_codes') }} as codes
    where not codes.is_inactive
),

{% endif -%}
unioned as (
    {{ union_of_vendors(['sage200', 'netsuite']) }}
),

final as (
    select
        unioned.erp_code,
        unioned.tax_code,
        min(unioned.rate_percent) as rate_percent
    from unioned
    where unioned.tax_code is not null and unioned.rate_percent is not null
    group by unioned.erp_code, unioned.tax_code
)

select * from final

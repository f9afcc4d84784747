-- One row per marketplace and warehouse of its ERP company. is_mapped: warehouses.csv has a row for it (one for the
-- marketplace wins over *); without one its stock is not offered.

with
{% if uses('sage200') -%}
sage200 as (
    select
        erp_code,
        warehouse_name
    from {{ ref('stg_sage200__warehouses') }}
),

{% endif -%}
{% if uses('netsuite') -%}
netsuite as (
    select
        locations.erp_code,
        locations.location_name as warehouse_name
    from {{ ref('stg_netsuite__locations') }} as locations
    inner join {{ ref('stg_tieout__erps') }} as erps
        on locations.erp_code = erps.erp_code
    where
        not locations.is_inactive
        and {{ netsuite_belongs_to('locations.subsidiary_ids', 'erps.subsidiary_id') }}
),

{% endif -%}
warehouses as (
    {{ union_of_vendors(['sage200', 'netsuite']) }}
),

marketplaces as (
    select * from {{ ref('int_ledger__marketplaces') }}
),

rules as (
    select * from {{ ref('stg_tieout__warehouses') }}
),

stock as (
    select
        erp_code,
        warehouse_name,
        sum(case when quantity_in_stock <> 0 then 1 else 0 end) as stocked_item_count
    from {{ ref('int_ledger__stock') }}
    group by erp_code, warehouse_name
),

final as (
    select
        marketplaces.marketplace_code,
        marketplaces.entity_code,
        marketplaces.erp_code,
        warehouses.warehouse_name,
        own_rule.warehouse_name is not null or common_rule.warehouse_name is not null as is_mapped,
        coalesce(own_rule.is_for_sale, common_rule.is_for_sale, false) as is_for_sale,
        coalesce(own_rule.reason, common_rule.reason) as reason,
        coalesce(stock.stocked_item_count, 0) as stocked_item_count
    from warehouses
    inner join marketplaces
        on warehouses.erp_code = marketplaces.erp_code
    left join rules as own_rule
        on
            warehouses.erp_code = own_rule.erp_code
            and warehouses.warehouse_name = own_rule.warehouse_name
            and marketplaces.marketplace_code = own_rule.marketplace_code
    left join rules as common_rule
        on
            warehouses.erp_code = common_rule.erp_code
            and warehouses.warehouse_name = common_rule.warehouse_name
            and common_rule.marketplace_code = '*'
    left join stock
        on
            warehouses.erp_code = stock.erp_code
            and warehouses.warehouse_name = stock.warehouse_name
)

select * from final

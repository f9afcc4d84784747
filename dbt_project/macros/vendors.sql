{#-
    Whether models of this vendor are built: the configuration has it (variable `vendors`). Ledger models need one that
    gives them their columns, so Sage 200's stay, empty, where there is no ERP. A linter, which has no variables, sees
    all of them. `+enabled` of the staging folders in dbt_project.yml says the same.
-#}
{% macro uses(vendor) -%}
    {{ return(
        var('vendors') is string
        or vendor in var('vendors')
        or (vendor == 'sage200' and 'netsuite' not in var('vendors'))
    ) }}
{%- endmacro %}


{#-
    The rows of each vendor's CTE (named like it), for those whose models are built, and of every registered ERP that maps
    this ledger model: int_<vendor>__<ledger model>, with the columns of the CTEs in their order.
-#}
{% macro union_of_vendors(vendors) -%}
    {%- for vendor in vendors if uses(vendor) %}
    {{ "union all" if not loop.first }}
    select * from {{ vendor }}
    {%- endfor %}
    {%- for vendor, erp in registered_erps().items() if model.name.removeprefix('int_ledger__') in erp.ledger_models %}
    union all
    select * from {{ ref('int_' ~ vendor ~ '__' ~ model.name.removeprefix('int_ledger__')) }}
    {%- endfor %}
{%- endmacro %}


{#- What the registered ERPs in use say of themselves (connectors/erps.py). A linter, which has no variables, sees none. -#}
{% macro registered_erps() -%}
    {{ return({} if var('erps', {}) is string else var('erps', {})) }}
{%- endmacro %}


{#- Months that an ERP holds shut, of those ERPs that tell: none where only Sage 200 is used. -#}
{% macro shut_periods() -%}
    {% if uses('netsuite') -%}
    select
        erp_code,
        period
    from {{ ref('int_ledger__periods') }}
    where is_shut
    {%- else -%}
    select
        cast(null as varchar) as erp_code,
        cast(null as varchar) as period
    where false
    {%- endif %}
{%- endmacro %}


{#- Whether an ERP has no journal that moves its VAT accounts: in Sage 200 a person posts it. -#}
{% macro takes_no_vat_journals(vendor) -%}
    ({{ vendor }} = 'sage200')
{%- endmacro %}


{#- Whether an ERP takes the tax of an order from its items alone: NetSuite ignores a tax code that is sent over REST. -#}
{% macro tax_follows_items(vendor) -%}
    ({{ vendor }} = 'netsuite')
{%- endmacro %}

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


{#- The rows of each vendor's CTE (named like it), for those whose models are built. -#}
{% macro union_of_vendors(vendors) -%}
    {%- for vendor in vendors if uses(vendor) %}
    {{ "union all" if not loop.first }}
    select * from {{ vendor }}
    {%- endfor %}
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

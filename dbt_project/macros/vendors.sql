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

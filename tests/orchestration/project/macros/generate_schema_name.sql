{#- Schema names are a public contract (marts.*), so they are used exactly as configured, without a target prefix. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}

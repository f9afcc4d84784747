{#-
    The shop that a record belongs to, never null: whoever sells knows its own shop, and the marketplace's records of a
    seller need not name it; an operator's record names one of many.
-#}
{% macro shop_of(record_shop_id, marketplaces='marketplaces') -%}
    case
        when {{ marketplaces }}.perspective = 'OPERATOR' then coalesce({{ record_shop_id }}, 'UNKNOWN')
        else coalesce({{ marketplaces }}.shop_id, 'UNKNOWN')
    end
{%- endmacro %}

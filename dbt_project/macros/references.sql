{#- Words of a free text in upper case between single spaces, with one at each end: ' PV 2026 0042 '. Null gives a blank. -#}
{% macro reference_words(expression) -%}
    (' ' || trim({{ replace_pattern("upper(coalesce(" ~ expression ~ ", ''))", "[^A-Z0-9]+", " ") }}) || ' ')
{%- endmacro %}


{#- Every match of a pattern replaced. -#}
{% macro replace_pattern(expression, pattern, replacement) -%}
    {{ return(adapter.dispatch('replace_pattern')(expression, pattern, replacement)) }}
{%- endmacro %}

{% macro default__replace_pattern(expression, pattern, replacement) -%}
    regexp_replace({{ expression }}, '{{ pattern }}', '{{ replacement }}', 'g')
{%- endmacro %}

{% macro spark__replace_pattern(expression, pattern, replacement) -%}
    regexp_replace({{ expression }}, '{{ pattern }}', '{{ replacement }}')
{%- endmacro %}

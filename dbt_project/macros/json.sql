{#-
    JSON text of an object with the keys in the given order, so equal content gives equal text on every run and engine.
    members: list of (key, SQL expression); text must be passed as text, a nested document through json_raw.
-#}
{% macro json_object(members) -%}
    {{ return(adapter.dispatch('json_object')(members)) }}
{%- endmacro %}

{% macro default__json_object(members) -%}
    cast(json_object(
        {%- for key, expression in members %}
        '{{ key }}', {{ expression }}{{ "," if not loop.last }}
        {%- endfor %}
    ) as varchar)
{%- endmacro %}

{#- Member by member: Sail leaves empty ones out and writes a nested document in its own binary form. -#}
{% macro spark__json_object(members) -%}
    ('{'
    {%- for key, expression in members %}
    || '{{ "," if not loop.first }}"{{ key }}":' || coalesce(
        {%- if expression.startswith('/*json*/') -%}
        {{ expression }}
        {%- else -%}
        case when {{ expression }} is not null then
            substr(to_json(named_struct('v', {{ expression }})), 6, length(to_json(named_struct('v', {{ expression }}))) - 6)
        end
        {%- endif -%}
    , 'null')
    {%- endfor %}
    || '}')
{%- endmacro %}


{#- A JSON text as a nested value of json_object. -#}
{% macro json_raw(expression) -%}
    {{ return(adapter.dispatch('json_raw')(expression)) }}
{%- endmacro %}

{% macro default__json_raw(expression) -%}
    cast({{ expression }} as json)
{%- endmacro %}

{% macro spark__json_raw(expression) -%}
    /*json*/ {{ expression }}
{%- endmacro %}


{#- JSON array text from an aggregate of JSON texts, in a stated order. -#}
{% macro json_array_agg(expression, order_by) -%}
    ('[' || coalesce({{ ordered_list(expression, "','", order_by) }}, '') || ']')
{%- endmacro %}


{#- Text aggregate in a stated order; the separator is a SQL literal. -#}
{% macro ordered_list(expression, separator, order_by) -%}
    {{ return(adapter.dispatch('ordered_list')(expression, separator, order_by)) }}
{%- endmacro %}

{% macro default__ordered_list(expression, separator, order_by) -%}
    {%- if expression == order_by -%}
    {#- Sorting lists costs a third of an ordered aggregate, which makes a sorter for every group. -#}
    array_to_string(list_sort(list({{ expression }}) filter (where {{ expression }} is not null)), {{ separator }})
    {%- else -%}
    string_agg({{ expression }}, {{ separator }} order by {{ order_by }})
    {%- endif -%}
{%- endmacro %}

{% macro spark__ordered_list(expression, separator, order_by) -%}
    listagg({{ expression }}, {{ separator }}) within group (order by {{ order_by }})
{%- endmacro %}


{#- Value of a top-level key of a JSON text, as text. -#}
{% macro json_text(expression, key) -%}
    {{ return(adapter.dispatch('json_text')(expression, key)) }}
{%- endmacro %}

{% macro default__json_text(expression, key) -%}
    json_extract_string({{ expression }}, '$.{{ key }}')
{%- endmacro %}

{% macro spark__json_text(expression, key) -%}
    get_json_object({{ expression }}, '$.{{ key }}')
{%- endmacro %}


{#-
    Rows of `relation`, once per member of the array under `key` of its JSON column: all its columns, and the members' fields,
    a list of (name, type).
-#}
{% macro json_rows(relation, column, key, fields) -%}
    {{ return(adapter.dispatch('json_rows')(relation, column, key, fields)) }}
{%- endmacro %}

{% macro default__json_rows(relation, column, key, fields) -%}
    select
        parents.*
        {%- for name, type in fields %},
        parents.member.{{ name }} as {{ name }}
        {%- endfor %}
    from (
        select
            {{ relation }}.*,
            unnest(from_json(
                json_extract({{ relation }}.{{ column }}, '$.{{ key }}'),
                '[{ {%- for name, type in fields -%} "{{ name }}": "{{ type }}"{{ ", " if not loop.last }} {%- endfor -%} }]'
            )) as member
        from {{ relation }}
    ) as parents
{%- endmacro %}

{% macro spark__json_rows(relation, column, key, fields) -%}
    select
        parents.*
        {%- for name, type in fields %},
        parents.member.{{ name }} as {{ name }}
        {%- endfor %}
    from (
        select
            {{ relation }}.*,
            explode(from_json(
                get_json_object({{ relation }}.{{ column }}, '$.{{ key }}'),
                'array<struct<
                {%- for name, type in fields -%}
                {{ name }}: {{ "string" if type == "varchar" else "int" }}{{ ", " if not loop.last }}
                {%- endfor -%}
                >>'
            )) as member
        from {{ relation }}
    ) as parents
{%- endmacro %}

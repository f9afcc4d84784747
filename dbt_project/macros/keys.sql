{#- Lower-case hexadecimal SHA-256 of a text expression. -#}
{% macro sha256_hex(expression) -%}
    {{ return(adapter.dispatch('sha256_hex')(expression)) }}
{%- endmacro %}

{% macro default__sha256_hex(expression) -%}
    sha256({{ expression }})
{%- endmacro %}

{% macro spark__sha256_hex(expression) -%}
    sha2({{ expression }}, 256)
{%- endmacro %}


{#- What a vendor's 20-character reference field can hold of a natural key: TO + 16 digits of its digest. -#}
{% macro wire_key(natural_key) -%}
    ('TO' || upper(substr({{ sha256_hex(natural_key) }}, 1, 16)))
{%- endmacro %}


{#- Stable short key of several columns; null and empty text are kept apart from each other and from neighbours. -#}
{% macro surrogate_key(expressions) -%}
    {%- set parts = [] -%}
    {%- for expression in expressions -%}
        {%- do parts.append("coalesce(cast(" ~ expression ~ " as varchar), '∅')") -%}
    {%- endfor -%}
    substr({{ sha256_hex(parts | join(" || '|' || ")) }}, 1, 16)
{%- endmacro %}


{#- Identity of an exception across runs: the same subject with the same code is the same exception. -#}
{% macro exception_id(code, marketplace_code, subject_type, subject_id) -%}
    substr({{ sha256_hex(code ~ " || '|' || " ~ marketplace_code ~ " || '|' || " ~ subject_type ~ " || '|' || " ~ subject_id) }}, 1, 16)
{%- endmacro %}


{#-
    A number of several columns, to find rows that may be equal without comparing texts. Equal rows have equal numbers; rows
    with equal numbers still have to be compared. It depends on the engine, so it is never stored or shown.
-#}
{% macro row_digest(expressions) -%}
    {{ return(adapter.dispatch('row_digest')(expressions)) }}
{%- endmacro %}

{% macro default__row_digest(expressions) -%}
    hash({{ expressions | join(', ') }})
{%- endmacro %}

{% macro spark__row_digest(expressions) -%}
    xxhash64({{ expressions | join(', ') }})
{%- endmacro %}

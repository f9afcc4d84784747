{#
    Tables and views, made in place inside one transaction.

    dbt's own materializations build beside the old relation, rename twice and drop afterwards, four statements and a
    second transaction for each model, because other databases cannot do better. In DuckDB the old table goes and the
    new one comes in one transaction; nobody else can see the warehouse meanwhile, since a run holds it alone. Contracts
    are enforced as dbt does. A table may be patched instead (patching.sql). Python models, grants, indexes and hooks are not used in this project, so they are not here.
#}

{% materialization table, adapter="duckdb", supported_languages=["sql"] %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type="table") -%}
    {%- if is_patched() -%}
        {%- if existing is none or existing.type != "table" -%}
            {{ exceptions.raise_compiler_error(this ~ " is to be patched and is not there") }}
        {%- endif -%}
        {%- set patch = patch_of(target) -%}
        {%- call statement("main") -%}
            drop table if exists {{ patch }};
            {{ create_table_as(False, patch, compiled_code) }};
            delete from {{ target }} using {{ patch }} as patch
            where {% for column in config.require("meta").patch_key -%}
                {{ target.identifier }}.{{ column }} = patch.{{ column }}{{ " and " if not loop.last }}
            {%- endfor %};
            insert into {{ target }} by name select * from {{ patch }};
        {%- endcall -%}
    {%- else -%}
        {%- call statement("main") -%}
            {%- if existing is not none -%} drop {{ existing.type }} if exists {{ existing }} cascade; {%- endif -%}
            {{ create_table_as(False, target, compiled_code) }}
        {%- endcall -%}
    {%- endif -%}
    {%- do adapter.commit() -%}
    {{ return({"relations": [target]}) }}
{% endmaterialization %}


{% materialization view, adapter="duckdb" %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type="view") -%}
    {%- call statement("main") -%}
        {%- if existing is not none -%} drop {{ existing.type }} if exists {{ existing }} cascade; {%- endif -%}
        {{ get_create_view_as_sql(target, compiled_code) }}
    {%- endcall -%}
    {%- do adapter.commit() -%}
    {{ return({"relations": [target]}) }}
{% endmaterialization %}


{#-
    Says of a common table that it is only another name: DuckDB writes down one that is named several times, with all its
    columns, which for a table of millions of lines costs more than reading it again.
-#}
{% macro inlined() -%}
    {{ return(adapter.dispatch('inlined')()) }}
{%- endmacro %}

{% macro default__inlined() -%}
    not materialized
{%- endmacro %}

{% macro spark__inlined() -%}
{%- endmacro %}

{#-
    Tables of millions of rows of which a day changes few are not built anew: the rows that may have changed are made by the
    model's own SQL over a part of its input, and take the place of those with their key.

    The orchestration says which models (var `patched`, orchestration/lib/patching.py), and only when nothing else that the
    model hangs on has changed; without it every table is built whole. Such a model gives in its `meta` its key and where its
    changes come from; it may only be one whose rows never go away. DuckDB only.
-#}
{% macro is_patched(name=none) -%}
    {{ return(((name or this.name) | string) in var('patched', [])) }}
{%- endmacro %}


{#- The rows that the last patch of a model brought: all that may differ from before, so also all that read the same group. -#}
{% macro patch_of(relation) -%}
    {{ return(api.Relation.create(
        database=relation.database, schema=relation.schema, identifier=relation.identifier ~ '__patch', type='table'
    )) }}
{%- endmacro %}


{#- The files of a raw table that the last whole build has read. -#}
{% macro files_built(table) -%}
    (select path from raw.built_files where table_name = '{{ table }}')
{%- endmacro %}

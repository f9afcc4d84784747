{#
    The Apache Spark target: what dbt-spark's own materializations do not give this project. Nothing here is read on DuckDB.

    Models write `varchar`, as DuckDB and the contracts say it; Spark has no text type of that name without a length, so
    statements are translated on their way out. Tables are Parquet and are built beside the old one: a model may read its own
    former rows, and a build that breaks leaves the old table.
#}

{#-
    A model's SQL as Spark takes it, without its comments. A minus before a column becomes `0 -`: Sail 0.7 negates a decimal wrongly,
    and silently so below a cast. Behind a sign that binds closer there is none in this project; there it would be refused.
-#}
{% macro spark_sql(sql) -%}
    {%- set typed = modules.re.sub("--[^\\n]*|'(?:[^']|'')*'|\\bas varchar\\b", spark_token, sql) -%}
    {%- set text = "'(?:[^'\\\\]|\\\\.)*'" -%}
    {%- set signed = modules.re.sub(
        text ~ "|(?:[-*/%(,=<>+|]|\\b(?:then|else|select|when|and|or|between|by|div))\\s*-(?=[a-z(])", spark_minus, typed
    ) -%}
    {%- set parts = modules.re.split("\\border by\\b", signed) -%}
    {%- set ordered = [parts[0]] -%}
    {%- for part in parts[1:] -%}
        {%- do ordered.append(nulls_last(part)) -%}
    {%- endfor -%}
    {{ return(ordered | join('order by')) }}
{%- endmacro %}

{#- What follows an `order by`, empty values last unless it says where: where Spark puts them in ascending order, DuckDB does not. -#}
{% macro nulls_last(sql) -%}
    {%- set tokens = modules.re.findall("'(?:[^'\\\\]|\\\\.)*'|[(),]|\\b(?:rows|range|limit|nulls)\\b|(?:(?!\\b(?:rows|range|limit|nulls)\\b)[^'(),])+", sql) -%}
    {%- set written = [] -%}
    {%- set at = namespace(depth=0, ended=false, told=false) -%}
    {%- for token in tokens -%}
        {%- if not at.ended and at.depth == 0 and token in (')', ',', 'rows', 'range', 'limit') -%}
            {%- if not at.told -%} {%- do written.append(' nulls last ') -%} {%- endif -%}
            {%- set at.told = false -%}
            {%- set at.ended = token != ',' -%}
        {%- elif token == 'nulls' -%}
            {%- set at.told = true -%}
        {%- elif token == '(' -%}
            {%- set at.depth = at.depth + 1 -%}
        {%- elif token == ')' -%}
            {%- set at.depth = at.depth - 1 -%}
        {%- endif -%}
        {%- do written.append(token) -%}
    {%- endfor -%}
    {{ return(written | join ~ ('' if at.ended or at.told else ' nulls last')) }}
{%- endmacro %}

{#- One comment, literal or type. A backslash escapes in Spark's literals, and a doubled quote ends them for some servers. -#}
{% macro spark_token(match) -%}
    {%- set text = match.group(0) -%}
    {%- if text.startswith("'") -%}
        {{ spark_text(text[1:-1] | replace("''", "'")) }}
    {%- elif not text.startswith('--') -%}
        as string
    {%- endif -%}
{%- endmacro %}

{#- One literal, which stays, or a minus with the sign or word before it. -#}
{% macro spark_minus(match) -%}
    {%- set text = match.group(0) -%}
    {%- if text[0] in '-*/%' or text.startswith('div') -%}
        {%- do exceptions.raise_compiler_error("Spark: a minus behind another sign (" ~ text ~ "); put it in brackets.") -%}
    {%- endif -%}
    {{ text if text.startswith("'") else text[:-1] ~ ' 0 - ' }}
{%- endmacro %}

{#- A value as a literal of Spark. -#}
{% macro spark_text(value) -%}
    {%- if value is none -%} {{ return('null') }} {%- endif -%}
    {{ return("'" ~ (value | string | replace('\\', '\\\\') | replace("'", "\\'")) ~ "'") }}
{%- endmacro %}


{#- Runs a statement without asking for its result: Sail answers with a number of a type that Spark's client does not know. -#}
{% macro spark_do(sql) -%}
    {%- call statement() -%} {{ sql }} {%- endcall -%}
{%- endmacro %}


{#- The columns that a contract promises, as an empty result. -#}
{% macro spark__get_empty_schema_sql(columns) -%}
    {{ return(spark_sql(default__get_empty_schema_sql(columns))) }}
{%- endmacro %}


{#- The columns in the contract's order: Spark inserts by position. -#}
{% macro contracted(sql) -%}
    {%- if config.get('contract').enforced -%}
        {%- do get_assert_columns_equivalent(sql) -%}
        {{ return(get_select_subquery(sql)) }}
    {%- endif -%}
    {{ return(sql) }}
{%- endmacro %}


{% materialization table, adapter="spark", supported_languages=["sql"] %}
    {{ return(spark_table()) }}
{% endmaterialization %}

{#- Views are tables on Spark: each reader would compute them again, and Sail fails on some plans that several of them make together. -#}
{% materialization view, adapter="spark" %}
    {{ return(spark_table()) }}
{% endmaterialization %}

{% macro spark_table() -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type="table") -%}
    {%- set sql = contracted(spark_sql(compiled_code)) -%}
    {%- if existing is not none -%}
        {%- do adapter.drop_relation(existing) -%}
    {%- endif -%}
    {%- call statement("main") -%} create table {{ target }} using parquet as {{ sql }} {%- endcall -%}
    {{ return({"relations": [target]}) }}
{%- endmacro %}


{#-
    Parquet cannot delete rows in place, and not every server can rename a table: the new state is written beside the old one, which
    is then written anew from it. A run that breaks in between leaves one of the two complete; the next run restores it and says so.
-#}
{% materialization incremental, adapter="spark", supported_languages=["sql"] %}
    {%- set target = this.incorporate(type="table") -%}
    {%- set next = target.incorporate(path={"identifier": this.identifier ~ "__next"}) -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set sql = contracted(spark_sql(compiled_code)) -%}
    {%- set columns = model.columns.values() | map(attribute="name") | join(", ") -%}
    {%- set strategy = config.get("incremental_strategy") -%}
    {%- if strategy not in ("append", "delete+insert") -%}
        {%- do exceptions.raise_compiler_error("Incremental strategy " ~ strategy ~ " is not known on Spark.") -%}
    {%- endif -%}
    {%- if existing is none and load_cached_relation(next) is not none -%}
        {%- do spark_do("create table " ~ target ~ " using parquet as select * from " ~ next) -%}
        {%- do exceptions.raise_compiler_error(this ~ " was restored from what an interrupted run left. Run it again.") -%}
    {%- elif existing is none -%}
        {%- call statement("main") -%} create table {{ target }} using parquet as {{ sql }} {%- endcall -%}
    {%- else -%}
        {%- set key = config.get("unique_key") -%}
        {%- do spark_do("drop table if exists " ~ next) -%}
        {%- call statement("main") -%}
            create table {{ next }} using parquet as
            with incoming as ({{ sql }})
            select {{ columns }} from {{ existing }}
            {%- if strategy == "delete+insert" %} where {{ key }} not in (select {{ key }} from incoming) {%- endif %}
            union all
            select {{ columns }} from incoming
        {%- endcall -%}
        {%- do spark_do("drop table " ~ existing) -%}
        {%- do spark_do("create table " ~ target ~ " using parquet as select * from " ~ next) -%}
        {%- do spark_do("drop table " ~ next) -%}
    {%- endif -%}
    {{ return({"relations": [target]}) }}
{% endmaterialization %}


{#- Configuration files: texts, whatever they hold (dbt-spark puts them into its statement without escaping). -#}
{% macro spark__create_csv_table(model, agate_table) -%}
    {%- set types = model['config'].get('column_types', {}) -%}
    {%- set columns = [] -%}
    {%- for name in agate_table.column_names -%}
        {%- do columns.append(name ~ ' ' ~ (types.get(name, 'varchar') | replace('varchar', 'string'))) -%}
    {%- endfor -%}
    {%- set sql = 'create table ' ~ this ~ ' (' ~ columns | join(', ') ~ ') using parquet' -%}
    {%- call statement('_') -%} {{ sql }} {%- endcall -%}
    {{ return(sql) }}
{%- endmacro %}

{% macro spark__load_csv_rows(model, agate_table) -%}
    {%- set types = model['config'].get('column_types', {}) -%}
    {%- set rows = [] -%}
    {%- for row in agate_table.rows -%}
        {%- set values = [] -%}
        {%- for name in agate_table.column_names -%}
            {%- set kind = types.get(name, 'varchar') | replace('varchar', 'string') -%}
            {%- do values.append('cast(' ~ spark_text(row[name]) ~ ' as ' ~ kind ~ ')') -%}
        {%- endfor -%}
        {%- do rows.append('(' ~ values | join(', ') ~ ')') -%}
    {%- endfor -%}
    {%- set sql = 'insert into ' ~ this ~ ' values ' ~ rows | join(', ') -%}
    {%- if rows -%}
        {%- do spark_do(sql) -%}
    {%- endif -%}
    {{ return(sql) }}
{%- endmacro %}

{#- Makes the loader's Parquet below `url` known as the tables of `raw`. Once for a catalogue that remembers, else before each run. -#}
{% macro register_raw(url) -%}
    {%- do spark_do('create schema if not exists raw') -%}
    {%- for node in graph.sources.values() if node.schema == 'raw' -%}
        {%- do spark_do('drop table if exists raw.' ~ node.identifier) -%}
        {%- do spark_do("create table raw." ~ node.identifier ~ " using parquet location '" ~ url ~ "/" ~ node.identifier ~ "'") -%}
    {%- endfor -%}
{%- endmacro %}

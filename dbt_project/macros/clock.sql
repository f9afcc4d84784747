{#- The only clock of the project. Nothing calls now(): the same input and the same as_of give the same rows. -#}
{% macro as_of() -%}
    {%- set stamp = var('as_of', '') | string | trim -%}
    {%- if execute and not stamp -%}
        {{ exceptions.raise_compiler_error("Pass the clock: --vars '{as_of: \"2026-07-03T08:00:00Z\"}' (ISO 8601, UTC).") }}
    {%- endif -%}
    cast('{{ (stamp or "1970-01-01T00:00:00Z") | replace("T", " ") | replace("Z", "") }}' as timestamp)
{%- endmacro %}


{#-
    Today on the wall of an entity's time zone, or UTC. The same day gives the same rows, so a model that reads the clock through
    this alone is built once a day and not with every run (orchestration/lib/building.py).
-#}
{% macro today_in(time_zone) -%}
    {{ local_date(as_of(), time_zone) }}
{%- endmacro %}


{#- Vendor text stamp with Z or an offset (2026-07-03T08:00:00.5+01:00) to TIMESTAMP in UTC; blank is null. -#}
{% macro utc_timestamp(expression) -%}
    {{ return(adapter.dispatch('utc_timestamp')(expression)) }}
{%- endmacro %}

{#- A plain cast to timestamp would drop the offset silently; a stamp without one is read in the session's zone, UTC. -#}
{#- A stamp that ends in Z needs no calendar: that costs half. -#}
{% macro default__utc_timestamp(expression) -%}
    (case
        when {{ expression }} like '%Z' then cast({{ expression }} as timestamp)
        else cast(nullif(trim({{ expression }}), '') as timestamptz) at time zone 'UTC'
    end)
{%- endmacro %}

{% macro spark__utc_timestamp(expression) -%}
    to_utc_timestamp(cast(nullif(trim({{ expression }}), '') as timestamp), current_timezone())
{%- endmacro %}


{#- Calendar date that a vendor writes as midnight UTC (Sage 200) or as a bare date: never shifted to a time zone. -#}
{% macro calendar_date(expression) -%}
    cast(substr(nullif(trim({{ expression }}), ''), 1, 10) as date)
{%- endmacro %}


{#- Accounting date: the UTC stamp seen on the wall clock of the entity. 30 June 23:30Z is 1 July in London. -#}
{% macro local_date(utc_stamp, time_zone) -%}
    {{ return(adapter.dispatch('local_date')(utc_stamp, time_zone)) }}
{%- endmacro %}

{% macro default__local_date(utc_stamp, time_zone) -%}
    cast(({{ utc_stamp }} at time zone 'UTC') at time zone {{ time_zone }} as date)
{%- endmacro %}

{% macro spark__local_date(utc_stamp, time_zone) -%}
    cast(from_utc_timestamp({{ utc_stamp }}, {{ time_zone }}) as date)
{%- endmacro %}


{#- Whole calendar days from start to finish (negative when finish is earlier). -#}
{% macro days_between(start_date, end_date) -%}
    {{ return(adapter.dispatch('days_between')(start_date, end_date)) }}
{%- endmacro %}

{% macro default__days_between(start_date, end_date) -%}
    date_diff('day', cast({{ start_date }} as date), cast({{ end_date }} as date))
{%- endmacro %}

{% macro spark__days_between(start_date, end_date) -%}
    datediff(cast({{ end_date }} as date), cast({{ start_date }} as date))
{%- endmacro %}


{% macro add_days(date_expression, days) -%}
    {{ return(adapter.dispatch('add_days')(date_expression, days)) }}
{%- endmacro %}

{% macro default__add_days(date_expression, days) -%}
    cast(({{ date_expression }} + to_days(cast({{ days }} as integer))) as date)
{%- endmacro %}

{% macro spark__add_days(date_expression, days) -%}
    date_add({{ date_expression }}, cast({{ days }} as int))
{%- endmacro %}


{% macro add_months(date_expression, months) -%}
    {{ return(adapter.dispatch('add_months')(date_expression, months)) }}
{%- endmacro %}

{% macro default__add_months(date_expression, months) -%}
    cast(({{ date_expression }} + to_months(cast({{ months }} as integer))) as date)
{%- endmacro %}

{% macro spark__add_months(date_expression, months) -%}
    add_months({{ date_expression }}, cast({{ months }} as int))
{%- endmacro %}


{% macro add_minutes(stamp, minutes) -%}
    {{ return(adapter.dispatch('add_minutes')(stamp, minutes)) }}
{%- endmacro %}

{% macro default__add_minutes(stamp, minutes) -%}
    ({{ stamp }} + to_minutes(cast({{ minutes }} as bigint)))
{%- endmacro %}

{% macro spark__add_minutes(stamp, minutes) -%}
    timestampadd(minute, cast({{ minutes }} as int), {{ stamp }})
{%- endmacro %}


{#- Minutes from start to finish, counted by minute boundaries; a stale feed is measured in these. -#}
{% macro minutes_between(start_stamp, end_stamp) -%}
    {{ return(adapter.dispatch('minutes_between')(start_stamp, end_stamp)) }}
{%- endmacro %}

{% macro default__minutes_between(start_stamp, end_stamp) -%}
    date_diff('minute', {{ start_stamp }}, {{ end_stamp }})
{%- endmacro %}

{% macro spark__minutes_between(start_stamp, end_stamp) -%}
    timestampdiff(minute, date_trunc('minute', {{ start_stamp }}), date_trunc('minute', {{ end_stamp }}))
{%- endmacro %}


{#- Whole seconds from start to finish (negative when finish is earlier), counted by second boundaries. -#}
{% macro seconds_between(start_stamp, end_stamp) -%}
    {{ return(adapter.dispatch('seconds_between')(start_stamp, end_stamp)) }}
{%- endmacro %}

{% macro default__seconds_between(start_stamp, end_stamp) -%}
    date_diff('second', {{ start_stamp }}, {{ end_stamp }})
{%- endmacro %}

{% macro spark__seconds_between(start_stamp, end_stamp) -%}
    timestampdiff(second, date_trunc('second', {{ start_stamp }}), date_trunc('second', {{ end_stamp }}))
{%- endmacro %}


{#- YYYY-MM of a date: the accounting period name used everywhere. -#}
{% macro period_of(date_expression) -%}
    substr(cast({{ date_expression }} as varchar), 1, 7)
{%- endmacro %}

{#- Days since a Monday, modulo seven: 0 is Monday, 6 is Sunday. Spelled without engine functions, whose numbering differs. -#}
{% macro weekday_number(date_expression) -%}
    ((({{ days_between("date '1970-01-05'", date_expression) }}) % 7 + 7) % 7)
{%- endmacro %}


{#-
    The date that lies whole working days (Monday to Friday) after a date, or the date itself for 0. A weekend counts as
    the Friday before it. Bank holidays are not known here, so a promise is never late because of one, only early.
-#}
{% macro add_business_days(date_expression, days) -%}
    {%- set weekday = weekday_number(date_expression) -%}
    {{ add_days(
        date_expression,
        "least(" ~ weekday ~ ", 4) - " ~ weekday ~ " + (" ~ days ~ ") + 2 * "
        ~ integer_divide("least(" ~ weekday ~ ", 4) + (" ~ days ~ ")", "5")
    ) }}
{%- endmacro %}


{#- Wall clock of the entity for a UTC stamp, and back. -#}
{% macro local_timestamp(utc_stamp, time_zone) -%}
    {{ return(adapter.dispatch('local_timestamp')(utc_stamp, time_zone)) }}
{%- endmacro %}

{% macro default__local_timestamp(utc_stamp, time_zone) -%}
    (({{ utc_stamp }} at time zone 'UTC') at time zone {{ time_zone }})
{%- endmacro %}

{% macro spark__local_timestamp(utc_stamp, time_zone) -%}
    from_utc_timestamp({{ utc_stamp }}, {{ time_zone }})
{%- endmacro %}

{% macro utc_from_local(local_stamp, time_zone) -%}
    {{ return(adapter.dispatch('utc_from_local')(local_stamp, time_zone)) }}
{%- endmacro %}

{% macro default__utc_from_local(local_stamp, time_zone) -%}
    (({{ local_stamp }} at time zone {{ time_zone }}) at time zone 'UTC')
{%- endmacro %}

{% macro spark__utc_from_local(local_stamp, time_zone) -%}
    to_utc_timestamp({{ local_stamp }}, {{ time_zone }})
{%- endmacro %}


{#- Last day of the month of a date. -#}
{% macro month_end(date_expression) -%}
    {{ return(adapter.dispatch('month_end')(date_expression)) }}
{%- endmacro %}

{% macro default__month_end(date_expression) -%}
    last_day({{ date_expression }})
{%- endmacro %}

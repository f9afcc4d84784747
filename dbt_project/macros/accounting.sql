{#- First day of a date's month. -#}
{% macro month_start(date_expression) -%}
    cast({{ period_of(date_expression) }} || '-01' as date)
{%- endmacro %}


{#- Last day of the month before a date's. -#}
{% macro previous_month_end(date_expression) -%}
    {{ add_days(month_start(date_expression), '-1') }}
{%- endmacro %}


{#-
    A settlement-led cycle that closes in the first two days of a month is still booked into the month before, line by line; what
    settles later was accrued at that month's end (UNBILLED_ACCRUAL). Both sides of the rule use this one day.
-#}
{% macro is_early_cycle(cycle_date) -%}
    ({{ days_between(month_start(cycle_date), cycle_date) }} < 2)
{%- endmacro %}


{#- Last day of the VAT period that a date is in: periods of so many months, one of which ends with end_month. -#}
{% macro vat_period_end(date_expression, months, end_month) -%}
    {%- set month = 'cast(substr(cast(' ~ date_expression ~ ' as varchar), 6, 2) as integer)' -%}
    {{ month_end(add_months(
        month_start(date_expression),
        '((' ~ end_month ~ ' - ' ~ month ~ ') % ' ~ months ~ ' + ' ~ months ~ ') % ' ~ months
    )) }}
{%- endmacro %}


{#- Kinds of journals that are replaced when they should be another one today: all but what a month's end accrues or reclassifies. -#}
{% macro replaceable_kinds() -%}
    'SETTLEMENT', 'PAYOUT_RECEIPT', 'REVERSE_CHARGE', 'CUSTOMER_DEBIT', 'COMMISSION', 'REFUND', 'SUBSCRIPTION', 'SELLER_FEE',
    'PSP_SETTLEMENT', 'SELLER_PAYOUT', 'SELLER_RESERVE'
{%- endmacro %}

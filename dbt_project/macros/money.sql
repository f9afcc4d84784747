{#- Money at the minor unit. A cast from a longer decimal rounds half away from zero on every target. -#}
{% macro money(expression) -%}
    cast({{ expression }} as decimal(18, 2))
{%- endmacro %}


{#- Vendor text to an exact decimal; blank text is null, never zero. -#}
{% macro to_decimal(expression, scale=4) -%}
    cast(nullif(trim({{ expression }}), '') as decimal(18, {{ scale }}))
{%- endmacro %}


{#- Integer division, which the engines spell differently. Both operands are whole numbers, the divisor is positive. -#}
{% macro integer_divide(numerator, denominator) -%}
    {{ return(adapter.dispatch('integer_divide')(numerator, denominator)) }}
{%- endmacro %}

{% macro default__integer_divide(numerator, denominator) -%}
    (({{ numerator }}) // ({{ denominator }}))
{%- endmacro %}

{% macro spark__integer_divide(numerator, denominator) -%}
    (({{ numerator }}) div ({{ denominator }}))
{%- endmacro %}


{#-
    round(numerator / denominator) half away from zero over whole numbers. Decimal division is a binary float in DuckDB,
    so ratios of money are taken over pence and hundredths of a percent instead. denominator > 0.
-#}
{% macro round_ratio(numerator, denominator) -%}
    (case when ({{ numerator }}) < 0 then -1 else 1 end
    * {{ integer_divide('2 * abs(' ~ numerator ~ ') + (' ~ denominator ~ ')', '2 * (' ~ denominator ~ ')') }})
{%- endmacro %}


{#- VAT inside a tax-included amount at a percent rate: round(G * r / (100 + r)); the net part is G minus this. -#}
{% macro tax_in_gross(gross_amount, rate_percent) -%}
    {%- set pence = 'cast(round(' ~ gross_amount ~ ' * 100) as bigint)' -%}
    {%- set rate = 'cast(round(' ~ rate_percent ~ ' * 100) as bigint)' -%}
    cast(cast({{ round_ratio(pence ~ ' * ' ~ rate, '10000 + ' ~ rate) }} as decimal(18, 2)) * 0.01 as decimal(18, 2))
{%- endmacro %}


{#- Tax on top of a net amount at a percent rate: round(N * r / 100). -#}
{% macro tax_on_net(net_amount, rate_percent) -%}
    cast(round(cast({{ net_amount }} as decimal(18, 4)) * cast({{ rate_percent }} as decimal(9, 4)) * 0.01, 2) as decimal(18, 2))
{%- endmacro %}


{#- A quantity as text without decimals, for sentences. -#}
{% macro whole_number(expression) -%}
    cast(cast({{ expression }} as decimal(18, 0)) as varchar)
{%- endmacro %}


{#- The share of a line's amount that a part of its quantity is worth, to the penny; the whole quantity is the whole amount. -#}
{% macro value_of_quantity(amount, part_quantity, whole_quantity) -%}
    {{ money(
        'case'
        ~ ' when ' ~ part_quantity ~ ' = ' ~ whole_quantity ~ ' then ' ~ amount
        ~ ' when ' ~ part_quantity ~ ' = 0 or ' ~ whole_quantity ~ ' <= 0 then 0'
        ~ ' else cast(' ~ round_ratio(
            'cast(round(' ~ amount ~ ' * 100) as bigint) * cast(round(' ~ part_quantity ~ ' * 10000) as bigint)',
            'cast(round(' ~ whole_quantity ~ ' * 10000) as bigint)'
        ) ~ ' as decimal(18, 2)) * 0.01 end'
    ) }}
{%- endmacro %}

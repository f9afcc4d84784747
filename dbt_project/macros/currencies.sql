{#- One over a rate, to 8 decimals, half away from zero. The rate is more than 0. -#}
{% macro inverse_rate(rate) -%}
    cast(cast({{ round_ratio(
        'cast(10000000000000000 as bigint)', 'cast(round((' ~ rate ~ ') * 100000000) as bigint)'
    ) }} as decimal(18, 0)) * cast(0.00000001 as decimal(9, 8)) as decimal(18, 8))
{%- endmacro %}


{#-
    Decimals of a currency's minor unit that the warehouse keeps. Those with three (KWD, BHD, TND ...) are refused by the check of the
    configuration.
-#}
{% macro has_no_decimals(currency_code) -%}
    {{ currency_code }} in ('JPY', 'KRW', 'VND', 'CLP', 'ISK', 'UGX', 'XAF', 'XOF', 'XPF', 'PYG', 'RWF')
{%- endmacro %}


{#- An amount in the functional currency: rounded once, half away from zero, at that currency's minor unit. -#}
{% macro functional_money(amount, rate, functional_currency) -%}
    cast(case
        when {{ has_no_decimals(functional_currency) }}
            then cast(cast({{ amount }} as decimal(16, 2)) * cast({{ rate }} as decimal(16, 8)) as decimal(18, 0))
        else cast(cast({{ amount }} as decimal(16, 2)) * cast({{ rate }} as decimal(16, 8)) as decimal(18, 2))
    end as decimal(18, 2))
{%- endmacro %}


{#-
    The part of a carrying amount that goes with a part of its currency amount, to the penny: all of it with the whole. Cumulative use
    (what goes up to now less what went before) leaves nothing behind. All three are pennies of any sign; the whole is not nil.
-#}
{% macro carried_part(carrying, part, whole) -%}
    cast(cast(case when ({{ whole }}) < 0 then -1 else 1 end * {{ round_ratio(
        'cast(round((' ~ carrying ~ ') * 100) as bigint) * cast(round((' ~ part ~ ') * 100) as bigint)',
        'cast(round(abs(' ~ whole ~ ') * 100) as bigint)'
    ) }} as decimal(18, 2)) * 0.01 as decimal(18, 2))
{%- endmacro %}

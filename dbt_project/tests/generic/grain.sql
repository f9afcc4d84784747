-- noqa: disable=LT02
{#-
    The stated grain: every key column is filled and no two rows share all of them.
    `nullable` names key columns that may be empty; there an empty value counts as a value.
    Suspects are found by a number, which costs a third of comparing texts; only they are compared.
-#}
{% test grain(model, columns, nullable=[]) %}

{% set filled = columns | reject('in', nullable) | list %}
{% set has_empty_key = filled | join(' is null or ') ~ ' is null' if filled else 'false' %}

select
    {{ columns | join(', ') }},
    count(*) as row_count
from {{ model }}
inner join (
    select {{ row_digest(columns) }} as key_digest
    from {{ model }}
    group by {{ row_digest(columns) }}
    having count(*) > 1 or max(case when {{ has_empty_key }} then 1 else 0 end) = 1
) as suspects
    on {{ row_digest(columns) }} = suspects.key_digest
group by {{ columns | join(', ') }}
having count(*) > 1 or {{ has_empty_key }}

{% endtest %}

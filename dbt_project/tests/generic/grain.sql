-- noqa: disable=LT02
{#-
    The stated grain: every key column is filled and no two rows share all of them.
    `nullable` names key columns that may be empty; there an empty value counts as a value.
-#}
{% test grain(model, columns, nullable=[]) %}

{% set filled = columns | reject('in', nullable) | list %}

select
    {{ columns | join(', ') }},
    count(*) as row_count
from {{ model }}
group by {{ columns | join(', ') }}
having
    count(*) > 1
    {{ "or " ~ filled | join(" is null or ") ~ " is null" if filled }}

{% endtest %}

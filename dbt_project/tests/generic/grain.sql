{#-
    The stated grain: every key column is filled and no two rows share all of them.
    `nullable` names key columns that may be empty; there an empty value counts as a value.
-#}
{% test grain(model, columns, nullable=[]) %}

select
    {{ columns | join(',\n    ') }},
    count(*) as row_count
from {{ model }}
group by
    {{ columns | join(',\n    ') }}
having
    count(*) > 1
    {%- for column in columns if column not in nullable %}
    or {{ column }} is null
    {%- endfor %}

{% endtest %}

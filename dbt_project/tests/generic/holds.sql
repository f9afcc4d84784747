{#- An equation or claim that is true on every row. Rows where it is false or null fail. -#}
{% test holds(model, claim) %}

select *
from {{ model }}
where not coalesce({{ claim }}, false)

{% endtest %}

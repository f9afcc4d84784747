{#-
    Shares each group's `amount` out over its rows by `weight`, whole pence, the largest remainders first: the parts add up
    to the amount exactly. Rows without a positive weight take no part. Adds allocated_amount to the columns of `relation`.
    `weight_total`: a column with the sum of the group's weights, where it is known already.
    amount x weight in pence must stay below 9 x 10^18: ten million pounds over nine thousand million.
-#}
{% macro largest_remainder(relation, group_columns, amount, weight, order_columns, weight_total=none) -%}
    select
        shared.*,
        cast(cast(
            shared.amount_sign * (
                shared.share_pence + case when shared.remainder_rank <= shared.left_pence then 1 else 0 end
            ) as decimal(18, 2)
        ) * 0.01 as decimal(18, 2)) as allocated_amount
    from (
        select
            floored.*,
            floored.amount_pence - sum(floored.share_pence) over (partition by {{ group_columns | join(', ') }})
                as left_pence,
            row_number() over (
                partition by {{ group_columns | join(', ') }}
                order by floored.remainder_pence desc, {{ order_columns | join(', ') }}
            ) as remainder_rank
        from (
            select
                weighed.*,
                {{ integer_divide('weighed.amount_pence * weighed.weight_pence', 'weighed.weight_total') }} as share_pence,
                (weighed.amount_pence * weighed.weight_pence) % weighed.weight_total as remainder_pence
            from (
                select
                    relation.*,
                    case when relation.{{ amount }} < 0 then -1 else 1 end as amount_sign,
                    cast(round(abs(relation.{{ amount }}) * 100) as bigint) as amount_pence,
                    cast(round(relation.{{ weight }} * 100) as bigint) as weight_pence,
                    {% if weight_total -%}
                    cast(round(relation.{{ weight_total }} * 100) as bigint) as weight_total
                    {%- else -%}
                    cast(sum(cast(round(relation.{{ weight }} * 100) as bigint)) over (
                        partition by {{ group_columns | join(', ') }}
                    ) as bigint) as weight_total
                    {%- endif %}
                from {{ relation }} as relation
                where relation.{{ weight }} > 0
            ) as weighed
        ) as floored
    ) as shared
{%- endmacro %}

-- Grain: subset of twelve positions, as data, so that sums over several items can be searched by joins. p1 to p12 are 1 for the
-- positions that are in it, last_position is the last of them.
with

bits as (

    select 0 as bit
    union all
    select 1 as bit

),

subsets as (

    select
        {% for position in range(1, 13) -%}
        b{{ position }}.bit as p{{ position }},
        {% endfor -%}
        {% for position in range(1, 13) -%}
        {{ 2 ** (position - 1) }} * b{{ position }}.bit{{ ' + ' if not loop.last }}
        {%- endfor %} as subset_id,
        {% for position in range(1, 13) -%}
        b{{ position }}.bit{{ ' + ' if not loop.last }}
        {%- endfor %} as subset_size
    from bits as b1
    {% for position in range(2, 13) -%}
    cross join bits as b{{ position }}
    {% endfor %}
),

final as (

    select
        subsets.*,
        case
            {% for position in range(12, 0, -1) -%}
            when subsets.p{{ position }} = 1 then {{ position }}
            {% endfor -%}
            else 0
        end as last_position
    from subsets
    where subsets.subset_size <= 8

)

select * from final

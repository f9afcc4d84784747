-- Grain: subset × member. Every subset of up to eight positions with at least two members, as data, so that a sum over several
-- items can be searched by a join (8 positions give 247 subsets; more would let unrelated amounts add up by chance).
with

bits as (

    select 0 as bit
    union all
    select 1 as bit

),

subsets as (

    select
        b1.bit as p1,
        b2.bit as p2,
        b3.bit as p3,
        b4.bit as p4,
        b5.bit as p5,
        b6.bit as p6,
        b7.bit as p7,
        b8.bit as p8,
        b1.bit + 2 * b2.bit + 4 * b3.bit + 8 * b4.bit
        + 16 * b5.bit + 32 * b6.bit + 64 * b7.bit + 128 * b8.bit as subset_id,
        b1.bit + b2.bit + b3.bit + b4.bit + b5.bit + b6.bit + b7.bit + b8.bit as subset_size
    from bits as b1
    cross join bits as b2
    cross join bits as b3
    cross join bits as b4
    cross join bits as b5
    cross join bits as b6
    cross join bits as b7
    cross join bits as b8

),

final as (

    {% for position in range(1, 9) -%}
    select
        subsets.subset_id,
        subsets.subset_size,
        {{ position }} as member_position
    from subsets
    where subsets.subset_size > 1 and subsets.p{{ position }} = 1
    {% if not loop.last -%}
    union all
    {% endif -%}
    {%- endfor %}

)

select * from final

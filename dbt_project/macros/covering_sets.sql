{#-
    CTEs that find which items add up to a target: every set of up to max_size items, of which those that the target names must all
    be in it, whose sum lies between low_cents and high_cents.

    Reads two CTEs of the model: targets (target_id, low_cents, high_cents, min_size, max_size) and items (target_id, item_id, cents,
    is_named, item_order). Leaves two: found (target_id, set_count, is_complete), where set_count tells how many sets there are and
    is_complete whether all were tried, and found_members (target_id, item_id): the set of fewest items.

    The named items are settled first. Of the others the first 24 in item_order are tried, completely: all sums of each half
    (2 x 4,096) are computed and the halves joined, so the work per target is bounded, and equal sums are counted, not listed. With
    more than 24 the sums of unrelated amounts hit any target by chance, so what is found then proves nothing: is_complete is false.
-#}
{% macro covering_sets(is_exact) -%}
named_sums as (

    select
        targets.target_id,
        targets.low_cents,
        targets.high_cents,
        targets.min_size,
        targets.max_size,
        coalesce(sum(items.is_named * items.cents), 0) as named_cents,
        coalesce(sum(items.is_named), 0) as named_count
    from targets
    left join items
        on targets.target_id = items.target_id
    group by targets.target_id, targets.low_cents, targets.high_cents, targets.min_size, targets.max_size

),

rests as (

    -- What the items that are not named must add up to.
    select
        named_sums.target_id,
        cast(greatest(named_sums.low_cents - named_sums.named_cents, 0) as bigint) as low_rest,
        cast(named_sums.high_cents - named_sums.named_cents as bigint) as high_rest,
        cast(named_sums.min_size - named_sums.named_count as bigint) as least_items,
        cast(named_sums.max_size - named_sums.named_count as bigint) as most_items
    from named_sums
    where named_sums.high_cents >= named_sums.named_cents and named_sums.max_size >= named_sums.named_count

),

free_items as (

    select
        items.target_id,
        items.item_id,
        items.cents,
        row_number() over (partition by items.target_id order by items.item_order, items.item_id) as item_position,
        count(*) over (partition by items.target_id) as item_count
    from items
    inner join rests
        on items.target_id = rests.target_id
    where items.is_named = 0 and items.cents <= rests.high_rest

),

columns_of_items as (

    -- Odd positions make the left half, even ones the right.
    select
        free_items.target_id,
        max(free_items.item_count) as item_count
        {%- for position in range(1, 25) %},
        coalesce(max(case when free_items.item_position = {{ position }} then free_items.cents end), 0) as c{{ position }}
        {%- endfor %}
    from free_items
    where free_items.item_position <= 24
    group by free_items.target_id

),

wide as (

    select
        rests.*,
        coalesce(columns_of_items.item_count, 0) as item_count
        {%- for position in range(1, 25) %},
        coalesce(columns_of_items.c{{ position }}, 0) as c{{ position }}
        {%- endfor %}
    from rests
    left join columns_of_items
        on rests.target_id = columns_of_items.target_id

),

{% for half, offset in [('left', 1), ('right', 2)] -%}
{{ half }}_sums as (

    select
        wide.target_id,
        wide.low_rest,
        wide.high_rest,
        wide.least_items,
        wide.most_items,
        subsets.subset_id,
        subsets.subset_size,
        {% for slot in range(1, 13) -%}
        subsets.p{{ slot }} * wide.c{{ 2 * slot - 2 + offset }}{{ ' + ' if not loop.last }}
        {%- endfor %} as cents
    from wide
    inner join {{ ref('int_matching__subsets') }} as subsets
        on subsets.last_position <= {{ integer_divide('wide.item_count + ' ~ (2 - offset), '2') }}

),

{{ half }}_halves as (

    select
        {{ half }}_sums.target_id,
        {{ half }}_sums.low_rest,
        {{ half }}_sums.high_rest,
        {{ half }}_sums.least_items,
        {{ half }}_sums.most_items,
        {{ half }}_sums.cents,
        {{ half }}_sums.subset_size,
        count(*) as ways,
        min({{ half }}_sums.subset_id) as subset_id
    from {{ half }}_sums
    where
        {{ half }}_sums.cents <= {{ half }}_sums.high_rest
        and {{ half }}_sums.subset_size <= {{ half }}_sums.most_items
    group by
        {{ half }}_sums.target_id,
        {{ half }}_sums.low_rest,
        {{ half }}_sums.high_rest,
        {{ half }}_sums.least_items,
        {{ half }}_sums.most_items,
        {{ half }}_sums.cents,
        {{ half }}_sums.subset_size

),

{% endfor -%}
{% if is_exact -%}
hits as (

    select
        left_halves.target_id,
        left_halves.ways * right_halves.ways as ways,
        left_halves.subset_size + right_halves.subset_size as item_count,
        left_halves.subset_id as left_id,
        right_halves.subset_id as right_id
    from left_halves
    inner join right_halves
        on
            left_halves.target_id = right_halves.target_id
            and left_halves.high_rest - left_halves.cents = right_halves.cents
    where
        left_halves.subset_size + right_halves.subset_size >= left_halves.least_items
        and left_halves.subset_size + right_halves.subset_size <= left_halves.most_items

),
{%- else -%}
buckets as (

    -- A range is searched by equality: what can complete a half lies in one of two neighbouring intervals of the range's width.
    select
        left_halves.*,
        {{ integer_divide(
            'greatest(left_halves.low_rest - left_halves.cents, 0)', 'left_halves.high_rest - left_halves.low_rest + 1'
        ) }} as bucket
    from left_halves
    union all
    select
        left_halves.*,
        {{ integer_divide(
            'greatest(left_halves.low_rest - left_halves.cents, 0)', 'left_halves.high_rest - left_halves.low_rest + 1'
        ) }} + 1 as bucket
    from left_halves

),

hits as (

    select
        buckets.target_id,
        buckets.ways * right_halves.ways as ways,
        buckets.subset_size + right_halves.subset_size as item_count,
        buckets.subset_id as left_id,
        right_halves.subset_id as right_id
    from buckets
    inner join right_halves
        on
            buckets.target_id = right_halves.target_id
            and buckets.bucket
            = {{ integer_divide('right_halves.cents', 'right_halves.high_rest - right_halves.low_rest + 1') }}
    where
        buckets.cents + right_halves.cents >= buckets.low_rest
        and buckets.cents + right_halves.cents <= buckets.high_rest
        and buckets.subset_size + right_halves.subset_size >= buckets.least_items
        and buckets.subset_size + right_halves.subset_size <= buckets.most_items

),
{%- endif %}

ranked_hits as (

    select
        hits.target_id,
        hits.left_id,
        hits.right_id,
        sum(hits.ways) over (partition by hits.target_id) as set_count,
        row_number() over (
            partition by hits.target_id
            order by hits.item_count, hits.left_id, hits.right_id
        ) as hit_number
    from hits

),

found as (

    select
        wide.target_id,
        cast(coalesce(ranked_hits.set_count, 0) as bigint) as set_count,
        wide.item_count <= 24 as is_complete,
        ranked_hits.left_id,
        ranked_hits.right_id
    from wide
    left join ranked_hits
        on wide.target_id = ranked_hits.target_id and ranked_hits.hit_number = 1

),

found_members as (

    select
        items.target_id,
        items.item_id
    from items
    inner join found
        on items.target_id = found.target_id
    where items.is_named = 1 and found.set_count > 0
    union all
    select
        free_items.target_id,
        free_items.item_id
    from free_items
    inner join found
        on free_items.target_id = found.target_id
    inner join {{ ref('int_matching__subsets') }} as subsets
        on
            subsets.subset_id = case when free_items.item_position % 2 = 1 then found.left_id else found.right_id end
    where
        found.set_count > 0
        and case {{ integer_divide('free_items.item_position + 1', '2') }}
            {%- for slot in range(1, 13) %}
            when {{ slot }} then subsets.p{{ slot }}
            {%- endfor %}
            else 0
        end = 1

)
{%- endmacro %}

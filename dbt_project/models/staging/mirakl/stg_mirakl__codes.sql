-- One row per code of a list that the marketplace has set up: currencies, channels, conditions of offers, reasons, shipping zones
-- and methods, custom fields. code_group tells equal codes of one list apart (a reason's type, a field's record).
{% set lists = [
    ('currencies', ['code'], "''"),
    ('channels', ['code'], "''"),
    ('offer_conditions', ['code'], "''"),
    ('reasons', ['type', 'code'], 'source.type'),
    ('shipping_zones', ['code'], "''"),
    ('shipping_methods', ['code'], "''"),
    ('custom_fields', ['entity', 'code'], 'source.entity'),
] %}

with
{%- for entity, id_columns, code_group in lists %}

{{ entity }} as (
    {{ newest_snapshot(source('raw', 'mirakl_' ~ entity), 'mirakl', entity, id_columns) }}
),
{%- endfor %}

final as (
    {% for entity, id_columns, code_group in lists -%}
    select
        source._account as marketplace_code,
        '{{ entity }}' as list_name,
        upper(coalesce(nullif(trim({{ code_group }}), ''), '')) as code_group,
        nullif(trim(source.code), '') as code,
        nullif(trim(source.label), '') as code_label,
        {{ 'source.is_shop_right' if entity == 'reasons' else 'cast(null as boolean)' }} as is_for_shops,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from {{ entity }} as source
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select * from final

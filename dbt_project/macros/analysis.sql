{#- The code of analysis_codes.csv for each situation that occurs in `lines`, a CTE with entity_code, marketplace_code, offer_state_code,
    ship_to_country, ship_to_state, tax_role (of the sale, empty where the item decides), tax_code and order_date. NONE stands
    for a country that the marketplace does not show yet. Few rows: join them back by `analysis_join`. -#}
{% macro analysis_choices(lines) -%}
    select
        ranked.entity_code,
        ranked.marketplace_code,
        ranked.offer_state_code,
        ranked.ship_to_country,
        ranked.ship_to_state,
        ranked.tax_role,
        ranked.tax_code,
        ranked.order_date,
        ranked.analysis_code
    from (
        select
            situations.entity_code,
            situations.marketplace_code,
            situations.offer_state_code,
            situations.ship_to_country,
            situations.ship_to_state,
            situations.tax_role,
            situations.tax_code,
            situations.order_date,
            analysis_codes.analysis_code,
            row_number() over (
                partition by
                    situations.entity_code,
                    situations.marketplace_code,
                    situations.offer_state_code,
                    situations.ship_to_country,
                    situations.ship_to_state,
                    situations.tax_role,
                    situations.tax_code,
                    situations.order_date
                order by
                    case when analysis_codes.marketplace_code = '*' then 1 else 0 end asc,
                    case when analysis_codes.offer_state_code = '*' then 1 else 0 end asc,
                    case when analysis_codes.ship_to_state = '*' then 1 else 0 end asc,
                    case when analysis_codes.ship_to_country = '*' then 1 else 0 end asc,
                    case when analysis_codes.tax_role = '*' then 1 else 0 end asc,
                    analysis_codes.effective_from desc
            ) as choice_number
        from (
            select distinct
                occurring.entity_code,
                occurring.marketplace_code,
                coalesce(occurring.offer_state_code, '') as offer_state_code,
                coalesce(occurring.ship_to_country, 'NONE') as ship_to_country,
                coalesce(occurring.ship_to_state, '') as ship_to_state,
                coalesce(occurring.tax_role, '') as tax_role,
                coalesce(occurring.tax_code, '') as tax_code,
                occurring.order_date
            from {{ lines }} as occurring
        ) as situations
        -- The role of an item's code: the sale's before a purchase's, where both share it.
        left join (
            select
                named.entity_code,
                named.erp_tax_code,
                named.tax_role
            from (
                select
                    tax_codes.entity_code,
                    tax_codes.erp_tax_code,
                    tax_codes.tax_role,
                    row_number() over (
                        partition by tax_codes.entity_code, tax_codes.erp_tax_code
                        order by
                            case when tax_codes.tax_role like '%SALE' then 0 else 1 end asc,
                            tax_codes.effective_from desc,
                            tax_codes.tax_role asc
                    ) as role_number
                from {{ ref('stg_tieout__tax_codes') }} as tax_codes
            ) as named
            where named.role_number = 1
        ) as roles
            on
                situations.entity_code = roles.entity_code
                and situations.tax_code = roles.erp_tax_code
        inner join {{ ref('stg_tieout__analysis_codes') }} as analysis_codes
            on
                situations.entity_code = analysis_codes.entity_code
                and situations.order_date >= analysis_codes.effective_from
                and analysis_codes.marketplace_code in ('*', situations.marketplace_code)
                and analysis_codes.offer_state_code in ('*', situations.offer_state_code)
                and analysis_codes.ship_to_country in ('*', situations.ship_to_country)
                and analysis_codes.ship_to_state in ('*', situations.ship_to_state)
                and (
                    analysis_codes.tax_role = '*'
                    or analysis_codes.tax_role
                    = case when situations.tax_role <> '' then situations.tax_role else roles.tax_role end
                )
    ) as ranked
    where ranked.choice_number = 1
{%- endmacro %}

{% macro analysis_join(lines, choices) -%}
    {{ lines }}.entity_code = {{ choices }}.entity_code
            and {{ lines }}.marketplace_code = {{ choices }}.marketplace_code
            and coalesce({{ lines }}.offer_state_code, '') = {{ choices }}.offer_state_code
            and coalesce({{ lines }}.ship_to_country, 'NONE') = {{ choices }}.ship_to_country
            and coalesce({{ lines }}.ship_to_state, '') = {{ choices }}.ship_to_state
            and coalesce({{ lines }}.tax_role, '') = {{ choices }}.tax_role
            and coalesce({{ lines }}.tax_code, '') = {{ choices }}.tax_code
            and {{ lines }}.order_date = {{ choices }}.order_date
{%- endmacro %}

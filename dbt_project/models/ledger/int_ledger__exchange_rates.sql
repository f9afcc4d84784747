-- One row per entity, currency, source and day from which a rate holds: what one unit of the currency is worth in the entity's
-- functional currency. Sources are those of exchange_rates.csv and ERP, the entity's own: NetSuite's by day, Sage 200's as at the
-- reading, for it keeps no history and states units of the currency for one unit of its base.

with
entities as (
    select * from {{ ref('stg_tieout__entities') }}
),

rates as (
    select * from {{ ref('stg_tieout__exchange_rates') }}
    where rate > 0
),

erps as (
    select
        erps.erp_code,
        erps.entity_code,
        entities.functional_currency,
        entities.time_zone
    from {{ ref('stg_tieout__erps') }} as erps
    inner join entities
        on erps.entity_code = entities.entity_code
    where erps.is_enabled
),

{% if uses('sage200') -%}
sage200 as (
    select
        erps.entity_code,
        erps.functional_currency,
        currencies.currency_code,
        'ERP' as rate_source,
        {{ local_date('currencies.fetched_at', 'erps.time_zone') }} as rate_date,
        {{ inverse_rate('currencies.rate_against_base') }} as exchange_rate,
        1 as choice
    from {{ ref('stg_sage200__currencies') }} as currencies
    inner join erps
        on currencies.erp_code = erps.erp_code
    inner join {{ ref('stg_sage200__currencies') }} as bases
        on
            currencies.erp_code = bases.erp_code
            and bases.is_base_currency
            and erps.functional_currency = bases.currency_code
    where not coalesce(currencies.is_base_currency, false) and currencies.rate_against_base > 0
),

{% endif -%}
{% if uses('netsuite') -%}
netsuite as (
    select
        erps.entity_code,
        erps.functional_currency,
        currencies.currency_code,
        'ERP' as rate_source,
        rates.effective_date as rate_date,
        rates.exchange_rate,
        1 as choice
    from {{ ref('stg_netsuite__currency_rates') }} as rates
    inner join erps
        on rates.erp_code = erps.erp_code
    inner join {{ ref('stg_netsuite__currencies') }} as currencies
        on
            rates.erp_code = currencies.erp_code
            and rates.currency_id = currencies.currency_id
    inner join {{ ref('stg_netsuite__currencies') }} as bases
        on
            rates.erp_code = bases.erp_code
            and rates.base_currency_id = bases.currency_id
            and erps.functional_currency = bases.currency_code
    where currencies.currency_code <> bases.currency_code and rates.exchange_rate > 0
),

{% endif -%}
kept as (
    select
        entities.entity_code,
        entities.functional_currency,
        rates.currency_code,
        rates.rate_source,
        rates.rate_date,
        rates.rate as exchange_rate,
        1 as choice
    from rates
    inner join entities
        on rates.quote_currency_code = entities.functional_currency
    union all
    select
        entities.entity_code,
        entities.functional_currency,
        rates.quote_currency_code as currency_code,
        rates.rate_source,
        rates.rate_date,
        {{ inverse_rate('rates.rate') }} as exchange_rate,
        2 as choice
    from rates
    inner join entities
        on rates.currency_code = entities.functional_currency
),

unioned as (
    select * from kept
    {%- if uses('sage200') %}
    union all
    select * from sage200
    {%- endif %}
    {%- if uses('netsuite') %}
    union all
    select * from netsuite
    {%- endif %}
),

ranked as (
    -- A pair that is given both ways round counts as it is given.
    select
        unioned.*,
        row_number() over (
            partition by unioned.entity_code, unioned.currency_code, unioned.rate_source, unioned.rate_date
            order by unioned.choice, unioned.exchange_rate
        ) as choice_number
    from unioned
),

final as (
    select
        ranked.entity_code,
        ranked.functional_currency,
        ranked.currency_code,
        ranked.rate_source,
        ranked.rate_date,
        lead(ranked.rate_date) over (
            partition by ranked.entity_code, ranked.currency_code, ranked.rate_source order by ranked.rate_date
        ) as next_rate_date,
        ranked.exchange_rate
    from ranked
    where ranked.choice_number = 1
)

select * from final

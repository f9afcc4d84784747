-- One row per entity, foreign currency of one of its marketplaces, and day since it went live: the rate that journals of that day are
-- translated with, and the reference that it is measured against. exchange_rate_rules.csv says where both come from: the first source
-- whose rate is young enough, else the youngest there is, which is then stale. rate_fault: MISSING, STALE, INVERSE (the slip that makes
-- every amount wrong by one over the rate squared), OFF (beyond FX_RATE); null: good. rate_id names what is to be corrected.
{{ config(materialized='table') }}

with
currencies as (
    select
        marketplaces.entity_code,
        marketplaces.functional_currency,
        marketplaces.currency_code,
        min(marketplaces.marketplace_code) as marketplace_code,
        min(marketplaces.go_live_date) as first_date,
        max(marketplaces.as_of_date) as last_date
    from {{ ref('int_ledger__marketplaces') }} as marketplaces
    where marketplaces.has_books and marketplaces.currency_code <> marketplaces.functional_currency
    group by marketplaces.entity_code, marketplaces.functional_currency, marketplaces.currency_code
),

rates as (
    select * from {{ ref('int_ledger__exchange_rates') }}
),

rules as (
    select * from {{ ref('stg_tieout__exchange_rate_rules') }}
),

tolerances as (
    select * from {{ ref('stg_tieout__tolerances') }}
    where test_code = 'FX_RATE'
),

digits as (
    {% for digit in range(10) -%}
    select {{ digit }} as digit
    {% if not loop.last -%}
    union all
    {% endif -%}
    {%- endfor %}
),

numbers as (
    select ones.digit + 10 * tens.digit + 100 * hundreds.digit + 1000 * thousands.digit as number
    from digits as ones
    cross join digits as tens
    cross join digits as hundreds
    cross join digits as thousands
),

days as (
    select
        currencies.entity_code,
        currencies.functional_currency,
        currencies.currency_code,
        currencies.marketplace_code,
        {{ add_days('currencies.first_date', 'numbers.number') }} as rate_day
    from currencies
    inner join numbers
        on {{ days_between('currencies.first_date', 'currencies.last_date') }} >= numbers.number
),

asked as (
    -- The entity's own rule before the one for all, the newest that is in force.
    select
        days.entity_code,
        days.currency_code,
        days.rate_day,
        rules.purpose,
        rules.priority,
        rules.rate_source,
        rules.maximum_age_days,
        row_number() over (
            partition by days.entity_code, days.currency_code, days.rate_day, rules.purpose, rules.priority
            order by case when rules.entity_code = '*' then 1 else 0 end asc, rules.effective_from desc
        ) as rule_number
    from days
    inner join rules
        on
            (days.entity_code = rules.entity_code or rules.entity_code = '*')
            and days.rate_day >= rules.effective_from
),

found as (
    select
        asked.entity_code,
        asked.currency_code,
        asked.rate_day,
        asked.purpose,
        asked.priority,
        rates.rate_source,
        rates.rate_date,
        rates.exchange_rate,
        {{ days_between('rates.rate_date', 'asked.rate_day') }} > asked.maximum_age_days as is_stale
    from asked
    inner join rates
        on
            asked.entity_code = rates.entity_code
            and asked.currency_code = rates.currency_code
            and asked.rate_source = rates.rate_source
            and asked.rate_day >= rates.rate_date
            and (rates.next_rate_date is null or asked.rate_day < rates.next_rate_date)
    where asked.rule_number = 1
),

chosen as (
    select
        found.*,
        row_number() over (
            partition by found.entity_code, found.currency_code, found.rate_day, found.purpose
            order by
                case when found.is_stale then 1 else 0 end asc,
                case when found.is_stale then found.rate_date end desc,
                found.priority asc
        ) as choice_number
    from found
),

tolerated as (
    select
        days.entity_code,
        days.currency_code,
        days.rate_day,
        tolerances.percent,
        row_number() over (
            partition by days.entity_code, days.currency_code, days.rate_day
            order by case when tolerances.currency_code = '*' then 1 else 0 end asc, tolerances.effective_from desc
        ) as choice_number
    from days
    inner join tolerances
        on
            (days.currency_code = tolerances.currency_code or tolerances.currency_code = '*')
            and days.rate_day >= tolerances.effective_from
),

measured as (
    select
        days.entity_code,
        days.marketplace_code,
        days.functional_currency,
        days.currency_code,
        days.rate_day,
        ledger.exchange_rate,
        ledger.rate_source,
        ledger.rate_date,
        reference.exchange_rate as reference_rate,
        reference.rate_source as reference_source,
        reference.rate_date as reference_date,
        tolerated.percent as tolerance_percent,
        case
            when ledger.exchange_rate is null then 'MISSING'
            when ledger.is_stale then 'STALE'
            when
                abs(ledger.exchange_rate - reference.exchange_rate) * 100
                <= reference.exchange_rate * tolerated.percent
                then null
            when
                abs(cast(ledger.exchange_rate * reference.exchange_rate as decimal(18, 8)) - 1) * 100
                <= tolerated.percent
                then 'INVERSE'
            when reference.exchange_rate is not null and tolerated.percent is not null then 'OFF'
        end as rate_fault
    from days
    left join chosen as ledger
        on
            days.entity_code = ledger.entity_code
            and days.currency_code = ledger.currency_code
            and days.rate_day = ledger.rate_day
            and ledger.purpose = 'LEDGER'
            and ledger.choice_number = 1
    left join chosen as reference
        on
            days.entity_code = reference.entity_code
            and days.currency_code = reference.currency_code
            and days.rate_day = reference.rate_day
            and reference.purpose = 'REFERENCE'
            and reference.choice_number = 1
            and not reference.is_stale
    left join tolerated
        on
            days.entity_code = tolerated.entity_code
            and days.currency_code = tolerated.currency_code
            and days.rate_day = tolerated.rate_day
            and tolerated.choice_number = 1
),

final as (
    select
        measured.*,
        measured.entity_code || '|' || measured.currency_code || '|'
        || coalesce(measured.rate_source || '|' || cast(measured.rate_date as varchar), 'NONE') as rate_id
    from measured
)

select * from final

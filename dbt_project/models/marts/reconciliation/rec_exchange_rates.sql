-- Grain: exchange rate of an entity that journals are translated with or that its ERP holds, and, where none is young enough on a day
-- that needs one, the gap. A day needs a rate when a cycle is settled, a receipt arrives or a month ends. Rates are what one unit of
-- the currency is worth in the functional currency.
with

daily_rates as (

    select * from {{ ref('int_ledger__daily_rates') }}

),

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}
    where has_books and currency_code <> functional_currency

),

needs as (

    select
        marketplaces.entity_code,
        marketplaces.currency_code,
        cycles.cycle_date as rate_day
    from {{ ref('int_ledger__cycles') }} as cycles
    inner join marketplaces
        on cycles.marketplace_code = marketplaces.marketplace_code
    union
    select
        marketplaces.entity_code,
        marketplaces.currency_code,
        receipts.value_date as rate_day
    from {{ ref('int_ledger__receipts') }} as receipts
    inner join marketplaces
        on receipts.marketplace_code = marketplaces.marketplace_code
    where receipts.amount > 0
    union
    select
        daily_rates.entity_code,
        daily_rates.currency_code,
        daily_rates.rate_day
    from daily_rates
    where substr(cast({{ add_days('daily_rates.rate_day', '1') }} as varchar), 9, 2) = '01'

),

judged as (

    select
        daily_rates.*,
        needs.rate_day is not null as is_needed
    from daily_rates
    left join needs
        on
            daily_rates.entity_code = needs.entity_code
            and daily_rates.currency_code = needs.currency_code
            and daily_rates.rate_day = needs.rate_day

),

used as (

    -- A stale or missing rate matters on the days that need one, a wrong one from its first day on.
    select
        judged.entity_code,
        judged.currency_code,
        judged.functional_currency,
        judged.rate_id,
        min(judged.marketplace_code) as marketplace_code,
        min(judged.rate_source) as rate_source,
        min(judged.rate_date) as rate_date,
        min(judged.exchange_rate) as exchange_rate,
        min(judged.reference_rate) as reference_rate,
        sum(case when judged.is_needed then 1 else 0 end) as day_count,
        min(case when judged.is_needed and judged.rate_fault is not null then judged.rate_day end) as first_fault_day,
        -- Of several the most telling: a rate that is wrong and then grows old is wrong.
        min(case
            when judged.rate_fault = 'INVERSE' then '1_INVERSE'
            when judged.rate_fault = 'OFF' then '2_OFF'
            when judged.rate_fault is not null and judged.is_needed then '3_' || judged.rate_fault
        end) as fault
    from judged
    group by judged.entity_code, judged.currency_code, judged.functional_currency, judged.rate_id

),

spare as (

    -- What the ERP translates its own documents with is measured as well, whichever source the journals take.
    select
        daily_rates.entity_code,
        daily_rates.currency_code,
        daily_rates.functional_currency,
        rates.entity_code || '|' || rates.currency_code || '|' || rates.rate_source || '|'
        || cast(rates.rate_date as varchar) as rate_id,
        daily_rates.marketplace_code,
        rates.rate_source,
        rates.rate_date,
        rates.exchange_rate,
        daily_rates.reference_rate,
        0 as day_count,
        rates.rate_date as first_fault_day,
        case
            when daily_rates.reference_rate is null or daily_rates.tolerance_percent is null then null
            when
                abs(rates.exchange_rate - daily_rates.reference_rate) * 100
                <= daily_rates.reference_rate * daily_rates.tolerance_percent
                then null
            when
                abs(cast(rates.exchange_rate * daily_rates.reference_rate as decimal(18, 8)) - 1) * 100
                <= daily_rates.tolerance_percent
                then '1_INVERSE'
            else '2_OFF'
        end as fault
    from {{ ref('int_ledger__exchange_rates') }} as rates
    inner join daily_rates
        on
            rates.entity_code = daily_rates.entity_code
            and rates.currency_code = daily_rates.currency_code
            and rates.rate_date = daily_rates.rate_day
    where rates.rate_source = 'ERP'

),

rates as (

    select * from used
    union all
    select spare.*
    from spare
    left join used
        on spare.rate_id = used.rate_id
    where used.rate_id is null

),

final as (

    select
        rates.marketplace_code,
        rates.entity_code,
        'EXCHANGE_RATE' as subject_type,
        rates.rate_id as subject_id,
        'F060_EXCHANGE_RATE' as rule_code,
        case
            when rates.fault is not null then 'EXCEPTION'
            when rates.exchange_rate is null or rates.reference_rate is null then 'EXCLUDED'
            when rates.exchange_rate = rates.reference_rate then 'MATCHED'
            else 'MATCHED_WITHIN_TOLERANCE'
        end as status,
        case when rates.fault is not null then 'FX-001' end as exception_code,
        cast(null as decimal(18, 2)) as delta_amount,
        rates.currency_code,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        case substr(rates.fault, 3)
            when 'MISSING'
                then
                    'There is no rate of ' || rates.currency_code || ' in ' || rates.functional_currency || ' for '
                    || cast(rates.first_fault_day as varchar) || ': load it, journals of that day wait for it.'
            when 'STALE'
                then
                    'The newest rate of ' || rates.currency_code || ' on ' || cast(rates.first_fault_day as varchar)
                    || ' is of ' || cast(rates.rate_date as varchar) || ' (' || rates.rate_source
                    || '), which is too old: load the newer ones, journals of that day wait for them.'
            when 'INVERSE'
                then
                    'The rate of ' || rates.currency_code || ' of ' || cast(rates.rate_date as varchar) || ' ('
                    || rates.rate_source || ') is the wrong way round: ' || cast(rates.exchange_rate as varchar)
                    || ' where the reference says ' || cast(rates.reference_rate as varchar) || ' '
                    || rates.functional_currency || '.'
            when 'OFF'
                then
                    'The rate of ' || rates.currency_code || ' of ' || cast(rates.rate_date as varchar) || ' ('
                    || rates.rate_source || ') is ' || cast(rates.exchange_rate as varchar)
                    || ' where the reference says ' || cast(rates.reference_rate as varchar) || ' '
                    || rates.functional_currency || ': further apart than is agreed.'
        end as summary,
        rates.functional_currency,
        rates.rate_source,
        rates.rate_date,
        rates.exchange_rate,
        rates.reference_rate,
        cast(rates.day_count as integer) as day_count,
        rates.first_fault_day as fault_date
    from rates

)

select * from final

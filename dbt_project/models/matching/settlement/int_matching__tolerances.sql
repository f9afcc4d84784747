-- Grain: currency. The tolerances in force at the time of the run, one column per test; nil where none is configured.
with

tolerances as (

    select * from {{ ref('stg_tieout__tolerances') }}

),

currencies as (

    select distinct marketplaces.currency_code
    from {{ ref('int_ledger__marketplaces') }} as marketplaces

),

in_force as (

    select
        currencies.currency_code,
        tolerances.test_code,
        tolerances.amount,
        row_number() over (
            partition by currencies.currency_code, tolerances.test_code
            order by case when tolerances.currency_code = '*' then 1 else 0 end, tolerances.effective_from desc
        ) as choice_number
    from currencies
    inner join tolerances
        on currencies.currency_code = tolerances.currency_code or tolerances.currency_code = '*'
    where tolerances.effective_from <= {{ today_in("'UTC'") }}

),

final as (

    select
        currencies.currency_code,
        {% for test_code in [
            'SETTLED_AMOUNT', 'COMMISSION', 'COMMISSION_VAT', 'CYCLE_IDENTITY', 'BANK_RECEIPT', 'JOURNAL', 'ROLL_FORWARD', 'DOCUMENT_VAT',
            'SEVERITY_S1', 'SEVERITY_S2', 'SEVERITY_S3', 'OPEN_ITEM_DAYS',
        ] -%}
        cast(coalesce(max(
            case when in_force.test_code = '{{ test_code }}' then in_force.amount end
        ), 0) as decimal(18, 2)) as {{ test_code | lower }},
        {% endfor -%}
        count(*) as tolerance_count
    from currencies
    left join in_force
        on
            currencies.currency_code = in_force.currency_code
            and in_force.choice_number = 1
    group by currencies.currency_code

)

select * from final

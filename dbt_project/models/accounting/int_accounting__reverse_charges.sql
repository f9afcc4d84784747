-- Grain: billing cycle with fees of a supplier established in another country than ours: what those fees are, what VAT such a supplier
-- charged all the same, and what our books account for themselves (reverse charge): the rate of RC_SERVICES on the fees net of refunded
-- ones, of a foreign cycle on their value in the books' own currency at the rate of the cycle date. Fees positive.
with

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}
    where perspective = 'SELLER'

),

entities as (

    select * from {{ ref('stg_tieout__entities') }}

),

fee_types as (

    select
        types.tax_of_type as transaction_type,
        min(types.transaction_type) as tax_type
    from {{ ref('stg_tieout__transaction_types') }} as types
    where types.is_tax and types.account_role = 'INPUT_VAT'
    group by types.tax_of_type

),

suppliers as (

    select * from {{ ref('stg_tieout__fee_suppliers') }}

),

named_suppliers as (

    select
        marketplaces.marketplace_code,
        fee_types.transaction_type,
        fee_types.tax_type,
        marketplaces.operator_name as supplier_name,
        marketplaces.operator_country as supplier_country,
        cast('1900-01-01' as date) as effective_from,
        2 as preference
    from marketplaces
    cross join fee_types
    union all
    select
        suppliers.marketplace_code,
        fee_types.transaction_type,
        fee_types.tax_type,
        suppliers.supplier_name,
        suppliers.supplier_country,
        suppliers.effective_from,
        case when suppliers.transaction_type = '*' then 1 else 0 end as preference
    from suppliers
    inner join fee_types
        on suppliers.transaction_type = fee_types.transaction_type or suppliers.transaction_type = '*'

),

chosen_suppliers as (

    select
        named_suppliers.*,
        row_number() over (
            partition by
                named_suppliers.marketplace_code, named_suppliers.transaction_type, named_suppliers.effective_from
            order by named_suppliers.preference
        ) as choice_number
    from named_suppliers

),

supplier_periods as (

    select
        chosen_suppliers.*,
        coalesce(
            lead(chosen_suppliers.effective_from) over (
                partition by chosen_suppliers.marketplace_code, chosen_suppliers.transaction_type
                order by chosen_suppliers.effective_from
            ),
            cast('9999-12-31' as date)
        ) as effective_until
    from chosen_suppliers
    where chosen_suppliers.choice_number = 1

),

foreign_types as (

    -- One row per type of line, so that few lines of few types meet the large table.
    select
        periods.marketplace_code,
        periods.transaction_type as line_type,
        false as is_tax,
        periods.supplier_name,
        periods.supplier_country,
        periods.effective_from,
        periods.effective_until
    from supplier_periods as periods
    inner join marketplaces
        on periods.marketplace_code = marketplaces.marketplace_code
    inner join entities
        on marketplaces.entity_code = entities.entity_code
    where periods.supplier_country <> entities.country
    union all
    select
        periods.marketplace_code,
        periods.tax_type as line_type,
        true as is_tax,
        periods.supplier_name,
        periods.supplier_country,
        periods.effective_from,
        periods.effective_until
    from supplier_periods as periods
    inner join marketplaces
        on periods.marketplace_code = marketplaces.marketplace_code
    inner join entities
        on marketplaces.entity_code = entities.entity_code
    where periods.supplier_country <> entities.country

),

cycles as (

    select * from {{ ref('int_matching__cycles') }}

),

cycle_fees as (

    select
        lines.marketplace_code,
        lines.entity_code,
        lines.billing_cycle_id,
        lines.currency_code,
        min(foreign_types.supplier_name) as supplier_name,
        min(foreign_types.supplier_country) as supplier_country,
        min(case when not foreign_types.is_tax then lines.transaction_line_id end) as fee_line_id,
        min(case when foreign_types.is_tax and lines.amount <> 0 then lines.transaction_line_id end) as tax_line_id,
        -- Commission first: only its foreign VAT is also argued order line by order line.
        coalesce(min(case when lines.fee_type = 'COMMISSION' then lines.fee_type end), min(lines.fee_type)) as fee_type,
        cast(sum(case when foreign_types.is_tax then 0 else -lines.amount end) as decimal(18, 2)) as fee_amount,
        cast(sum(case when foreign_types.is_tax then -lines.amount else 0 end) as decimal(18, 2)) as tax_amount
    from {{ ref('int_matching__transaction_lines') }} as lines
    inner join foreign_types
        on
            lines.marketplace_code = foreign_types.marketplace_code
            and lines.transaction_type = foreign_types.line_type
    where
        lines.is_in_net
        and lines.billing_cycle_id is not null
        and lines.line_date >= foreign_types.effective_from
        and lines.line_date < foreign_types.effective_until
    group by lines.marketplace_code, lines.entity_code, lines.billing_cycle_id, lines.currency_code

),

rates as (

    select
        cycle_fees.marketplace_code,
        cycle_fees.billing_cycle_id,
        tax_codes.rate_percent,
        tax_codes.erp_tax_code,
        row_number() over (
            partition by cycle_fees.marketplace_code, cycle_fees.billing_cycle_id
            order by tax_codes.effective_from desc
        ) as choice_number
    from cycle_fees
    inner join cycles
        on
            cycle_fees.marketplace_code = cycles.marketplace_code
            and cycle_fees.billing_cycle_id = cycles.billing_cycle_id
    inner join {{ ref('stg_tieout__tax_codes') }} as tax_codes
        on
            cycle_fees.entity_code = tax_codes.entity_code
            and tax_codes.tax_role = 'RC_SERVICES'
            and cycles.cycle_date >= tax_codes.effective_from

),

days as (

    select * from {{ ref('int_ledger__daily_rates') }}

),

valued as (

    select
        cycle_fees.*,
        cycles.cycle_date,
        cycles.has_books,
        marketplaces.functional_currency,
        rates.rate_percent,
        rates.erp_tax_code as tax_code,
        days.exchange_rate,
        days.rate_source,
        days.rate_date,
        case
            when cycle_fees.currency_code = marketplaces.functional_currency then cast(null as varchar)
            when days.rate_fault is not null then days.rate_id
        end as bad_rate_id,
        case
            when cycle_fees.currency_code = marketplaces.functional_currency then cycle_fees.fee_amount
            else
                {{ functional_money(
                    'cycle_fees.fee_amount', 'days.exchange_rate', 'marketplaces.functional_currency'
                ) }}
        end as functional_fee_amount
    from cycle_fees
    inner join cycles
        on
            cycle_fees.marketplace_code = cycles.marketplace_code
            and cycle_fees.billing_cycle_id = cycles.billing_cycle_id
    inner join marketplaces
        on cycle_fees.marketplace_code = marketplaces.marketplace_code
    left join rates
        on
            cycle_fees.marketplace_code = rates.marketplace_code
            and cycle_fees.billing_cycle_id = rates.billing_cycle_id
            and rates.choice_number = 1
    left join days
        on
            cycle_fees.entity_code = days.entity_code
            and cycle_fees.currency_code = days.currency_code
            and cycles.cycle_date = days.rate_day

),

final as (

    select
        valued.*,
        cast(
            {{ tax_on_net('valued.functional_fee_amount', 'coalesce(valued.rate_percent, 0)') }} as decimal(18, 2)
        ) as due_amount
    from valued

)

select * from final

-- Grain: billing cycle × rule, for cycles with fees of a supplier established in another country than ours. Such a supplier charges no
-- VAT (B160), and our books account for it themselves by a pair of reverse charge postings (B170). Columns as in settlement_tests.
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

settlements as (

    select
        journals.marketplace_code,
        journals.billing_cycle_id,
        journals.erp_code,
        journals.wire_key as settlement_key,
        {{ wire_key(
            "journals.entity_code || '|' || journals.marketplace_code || '|REVERSE_CHARGE|' || journals.billing_cycle_id"
            " || '|' || substr(cast(cycles.cycle_date as varchar), 1, 7) || '|1'"
        ) }} as reverse_charge_key,
        journals.is_excluded
    from {{ ref('int_accounting__journals') }} as journals
    inner join cycles
        on
            journals.marketplace_code = cycles.marketplace_code
            and journals.billing_cycle_id = cycles.billing_cycle_id
    where journals.kind = 'SETTLEMENT'

),

reverse_charge_accounts as (

    select
        ranked.marketplace_code,
        ranked.posting_model,
        ranked.account_code
    from (
        select
            marketplaces.marketplace_code,
            coalesce(marketplaces.posting_model, 'ORDER_LED') as posting_model,
            accounts.account_code,
            row_number() over (
                partition by marketplaces.marketplace_code
                order by case when accounts.marketplace_code = '*' then 1 else 0 end, accounts.effective_from desc
            ) as choice_number
        from marketplaces
        inner join {{ ref('stg_tieout__accounts') }} as accounts
            on
                marketplaces.entity_code = accounts.entity_code
                and (marketplaces.marketplace_code = accounts.marketplace_code or accounts.marketplace_code = '*')
        where accounts.account_role = 'RC_OUTPUT_VAT'
    ) as ranked
    where ranked.choice_number = 1

),

looked_up as (

    select
        settlements.marketplace_code,
        settlements.billing_cycle_id,
        settlements.erp_code,
        settlements.settlement_key as reference,
        1 as settlement_count
    from cycle_fees
    inner join settlements
        on
            cycle_fees.marketplace_code = settlements.marketplace_code
            and cycle_fees.billing_cycle_id = settlements.billing_cycle_id
    union all
    select
        settlements.marketplace_code,
        settlements.billing_cycle_id,
        settlements.erp_code,
        settlements.reverse_charge_key as reference,
        0 as settlement_count
    from cycle_fees
    inner join settlements
        on
            cycle_fees.marketplace_code = settlements.marketplace_code
            and cycle_fees.billing_cycle_id = settlements.billing_cycle_id

),

posted as (

    select
        looked_up.marketplace_code,
        looked_up.billing_cycle_id,
        sum(looked_up.settlement_count) as settlement_leg_count,
        cast(coalesce(sum(
            -- A settlement that books sales moves the same account.
            case
                when
                    postings.account_code = accounts.account_code
                    and (looked_up.settlement_count = 0 or accounts.posting_model = 'ORDER_LED')
                    then -postings.net_amount
            end
        ), 0) as decimal(18, 2)) as reverse_charge_amount
    from looked_up
    inner join {{ ref('int_ledger__erp_postings') }} as postings
        on
            looked_up.erp_code = postings.erp_code
            and looked_up.reference = postings.reference
    left join reverse_charge_accounts as accounts
        on looked_up.marketplace_code = accounts.marketplace_code
    group by looked_up.marketplace_code, looked_up.billing_cycle_id

),

measured as (

    select
        cycle_fees.*,
        cycles.cycle_date,
        cycles.has_books,
        marketplaces.functional_currency,
        settlements.reverse_charge_key,
        cycles.cycle_date < marketplaces.go_live_date or coalesce(settlements.is_excluded, false) as is_excluded,
        {{ tax_on_net('cycle_fees.fee_amount', 'coalesce(rates.rate_percent, 0)') }} as reverse_charge_due,
        coalesce(posted.reverse_charge_amount, 0) as reverse_charge_amount,
        coalesce(posted.settlement_leg_count, 0) > 0 as is_settlement_posted
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
    left join settlements
        on
            cycle_fees.marketplace_code = settlements.marketplace_code
            and cycle_fees.billing_cycle_id = settlements.billing_cycle_id
    left join posted
        on
            cycle_fees.marketplace_code = posted.marketplace_code
            and cycle_fees.billing_cycle_id = posted.billing_cycle_id

),

final as (

    select
        measured.marketplace_code,
        measured.entity_code,
        'CYCLE' as subject_type,
        measured.billing_cycle_id as subject_id,
        'B160_FEE_VAT' as rule_code,
        case
            when measured.is_excluded then 'EXCLUDED'
            when measured.tax_amount = 0 then 'MATCHED'
            else 'EXCEPTION'
        end as status,
        'TAX-007' as fault_code,
        cast(0 as decimal(18, 2)) as expected_amount,
        cast(-measured.tax_amount as decimal(18, 2)) as actual_amount,
        cast(0 as decimal(18, 2)) as tolerance_amount,
        measured.currency_code,
        cast(null as timestamp) as due_at,
        cast(null as varchar) as order_id,
        cast(null as varchar) as order_line_id,
        cast(null as varchar) as refund_id,
        coalesce(measured.tax_line_id, measured.fee_line_id) as transaction_line_id,
        measured.billing_cycle_id,
        measured.fee_type,
        measured.cycle_date as subject_date,
        'The cycle of ' || cast(measured.cycle_date as varchar) || ' charges VAT on fees of ' || measured.supplier_name
        || ' (' || measured.supplier_country || '), which a supplier from abroad must not charge and which no return '
        || 'gives back: show the VAT number and ask for a corrected document.' as fault_summary
    from measured
    union all
    select
        measured.marketplace_code,
        measured.entity_code,
        'CYCLE' as subject_type,
        measured.billing_cycle_id as subject_id,
        'B170_REVERSE_CHARGE' as rule_code,
        case
            when measured.is_excluded then 'EXCLUDED'
            when measured.reverse_charge_amount = measured.reverse_charge_due then 'MATCHED'
            -- Fees in another currency are charged on their value in the books, which follows the rate that was posted.
            when measured.currency_code <> measured.functional_currency and measured.reverse_charge_amount <> 0
                then 'MATCHED'
            -- A document that has to be issued again, or a settlement that is not in the books, comes first.
            when measured.tax_amount <> 0 or not measured.is_settlement_posted then 'TIMING'
            else 'EXCEPTION'
        end as status,
        'TAX-003' as fault_code,
        measured.reverse_charge_due as expected_amount,
        cast(measured.reverse_charge_amount as decimal(18, 2)) as actual_amount,
        cast(0 as decimal(18, 2)) as tolerance_amount,
        measured.currency_code,
        cast(null as timestamp) as due_at,
        cast(null as varchar) as order_id,
        cast(null as varchar) as order_line_id,
        cast(null as varchar) as refund_id,
        measured.fee_line_id as transaction_line_id,
        measured.billing_cycle_id,
        measured.fee_type,
        measured.cycle_date as subject_date,
        'Fees of ' || cast(measured.fee_amount as varchar) || ' ' || measured.currency_code || ' from '
        || measured.supplier_name || ' (' || measured.supplier_country || ') in the cycle of '
        || cast(measured.cycle_date as varchar) || ' have no reverse charge in the books: post the pair with reference '
        || coalesce(measured.reverse_charge_key, '') || ' before the VAT return.' as fault_summary
    from measured
    where measured.has_books

)

select * from final

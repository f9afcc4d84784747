-- Grain: billing cycle × rule, for cycles with fees of a supplier established in another country than ours. Such a supplier charges no
-- VAT (B160), and our books account for it themselves by a pair of reverse charge postings (B170). Columns as in settlement_tests.
with

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}
    where perspective = 'SELLER'

),

cycle_fees as (

    select * from {{ ref('int_accounting__reverse_charges') }}

),

settlements as (

    select
        journals.marketplace_code,
        journals.billing_cycle_id,
        journals.erp_code,
        journals.wire_key as settlement_key,
        {{ wire_key(
            "journals.entity_code || '|' || journals.marketplace_code || '|REVERSE_CHARGE|' || journals.billing_cycle_id"
            " || '|' || substr(cast(cycle_fees.cycle_date as varchar), 1, 7) || '|1'"
        ) }} as reverse_charge_key,
        journals.is_excluded
    from {{ ref('int_accounting__journals') }} as journals
    inner join cycle_fees
        on
            journals.marketplace_code = cycle_fees.marketplace_code
            and journals.billing_cycle_id = cycle_fees.billing_cycle_id
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
        settlements.reverse_charge_key,
        cycle_fees.cycle_date < marketplaces.go_live_date or coalesce(settlements.is_excluded, false) as is_excluded,
        coalesce(posted.reverse_charge_amount, 0) as reverse_charge_amount,
        coalesce(posted.settlement_leg_count, 0) > 0 as is_settlement_posted
    from cycle_fees
    inner join marketplaces
        on cycle_fees.marketplace_code = marketplaces.marketplace_code
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
            when measured.reverse_charge_amount = measured.due_amount then 'MATCHED'
            -- By hand a pair may have been posted at another rate of the same days.
            when measured.currency_code <> measured.functional_currency and measured.reverse_charge_amount <> 0
                then 'MATCHED'
            -- A document that has to be issued again, or a settlement that is not in the books, comes first.
            when measured.tax_amount <> 0 or not measured.is_settlement_posted then 'TIMING'
            else 'EXCEPTION'
        end as status,
        'TAX-003' as fault_code,
        measured.due_amount as expected_amount,
        cast(measured.reverse_charge_amount as decimal(18, 2)) as actual_amount,
        cast(0 as decimal(18, 2)) as tolerance_amount,
        measured.functional_currency as currency_code,
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

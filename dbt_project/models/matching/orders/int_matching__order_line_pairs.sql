-- One row per line of a compared order: a marketplace line, the ERP goods lines that stand for it, or only one of the two.
-- ERP lines pair by the marketplace's line id; several ERP lines of one id (split deliveries) roll up. An ERP line that
-- names no line of its order pairs by item, when exactly one line of that item is still open (is_paired_by_item).
-- cancelation_due_at: until then the import may still be at work on what was cancelled of it.
-- Charges and comments are not lines of goods. due_* = what is left after cancelations, tax included.

with pairs as (
    select * from {{ ref('int_matching__order_pairs') }}
    where
        erp_order_id is not null
        and not is_excluded
),

lines as (
    select
        order_lines.*,
        pairs.erp_code,
        pairs.erp_order_id,
        order_lines.price_amount - order_lines.cancelled_amount
        + case
            when pairs.tax_sign <> 0
                then pairs.tax_sign * (order_lines.tax_amount - order_lines.cancelled_tax_amount)
            else 0
        end as due_amount,
        order_lines.quantity - order_lines.cancelled_quantity as due_quantity
    from {{ ref('int_ledger__order_lines') }} as order_lines
    inner join pairs
        on
            order_lines.marketplace_code = pairs.marketplace_code
            and order_lines.order_id = pairs.order_id
),

erp_lines as (
    select
        pairs.marketplace_code,
        pairs.order_id,
        erp_order_lines.*,
        named.order_line_id as named_line_id
    from {{ ref('int_ledger__erp_order_lines') }} as erp_order_lines
    inner join pairs
        on
            erp_order_lines.erp_code = pairs.erp_code
            and erp_order_lines.erp_order_id = pairs.erp_order_id
    left join lines as named
        on
            pairs.marketplace_code = named.marketplace_code
            and pairs.order_id = named.order_id
            and erp_order_lines.order_line_id = named.order_line_id
    where erp_order_lines.line_kind = 'ITEM'
),

-- Lines of goods that no ERP line names, one candidate per item.
open_lines as (
    select
        lines.marketplace_code,
        lines.order_id,
        lines.item_code,
        min(lines.order_line_id) as order_line_id
    from lines
    left join erp_lines
        on
            lines.marketplace_code = erp_lines.marketplace_code
            and lines.order_id = erp_lines.order_id
            and lines.order_line_id = erp_lines.named_line_id
    where
        erp_lines.erp_order_line_id is null
        and lines.due_quantity > 0
    group by lines.marketplace_code, lines.order_id, lines.item_code
    having count(*) = 1
),

attributed as (
    select
        erp_lines.*,
        coalesce(erp_lines.named_line_id, open_lines.order_line_id) as paired_line_id,
        erp_lines.named_line_id is null and open_lines.order_line_id is not null as is_by_item
    from erp_lines
    left join open_lines
        on
            erp_lines.marketplace_code = open_lines.marketplace_code
            and erp_lines.order_id = open_lines.order_id
            and erp_lines.item_code = open_lines.item_code
            and erp_lines.named_line_id is null
),

rolled_up as (
    select
        marketplace_code,
        order_id,
        paired_line_id,
        -- An ERP line without a partner stands for itself.
        case when paired_line_id is null then erp_order_line_id else '' end as lone_erp_line_id,
        min(erp_order_line_id) as erp_order_line_id,
        min(order_line_id) as erp_named_line_id,
        min(item_code) as item_code,
        max(item_code) as other_item_code,
        min(tax_code) as tax_code,
        max(tax_code) as other_tax_code,
        min(coalesce(vat_analysis_code, '')) as vat_analysis_code,
        max(coalesce(vat_analysis_code, '')) as other_vat_analysis_code,
        count(*) as line_count,
        sum(case when is_by_item then 1 else 0 end) > 0 as is_paired_by_item,
        sum(case when is_short_closed then 1 else 0 end) > 0 as is_short_closed,
        cast(sum(quantity) as decimal(18, 4)) as quantity,
        cast(sum(despatched_quantity) as decimal(18, 4)) as despatched_quantity,
        cast(sum(invoiced_quantity) as decimal(18, 4)) as invoiced_quantity,
        {{ money('sum(net_amount)') }} as net_amount,
        {{ money('sum(tax_amount)') }} as tax_amount,
        {{ money('sum(gross_amount)') }} as gross_amount
    from attributed
    group by
        marketplace_code,
        order_id,
        paired_line_id,
        case when paired_line_id is null then erp_order_line_id else '' end
),

items as (
    select * from {{ ref('int_ledger__items') }}
),

-- Both sides, and the lines that only one side has.
joined as (
    select
        coalesce(lines.marketplace_code, rolled_up.marketplace_code) as marketplace_code,
        coalesce(lines.order_id, rolled_up.order_id) as order_id,
        lines.order_line_id is not null as is_in_marketplace,
        rolled_up.erp_order_line_id is not null as is_in_erp,
        lines.order_line_id,
        lines.line_state,
        lines.is_cancelled,
        lines.cancelled_at,
        lines.item_code,
        lines.offer_state_code,
        lines.quantity as ordered_quantity,
        lines.due_quantity,
        lines.due_amount,
        rolled_up.erp_order_line_id,
        rolled_up.erp_named_line_id,
        rolled_up.is_paired_by_item,
        rolled_up.is_short_closed,
        rolled_up.item_code as erp_item_code,
        rolled_up.other_item_code as erp_other_item_code,
        rolled_up.quantity as erp_quantity,
        rolled_up.despatched_quantity as erp_despatched_quantity,
        rolled_up.invoiced_quantity as erp_invoiced_quantity,
        rolled_up.net_amount as erp_net_amount,
        rolled_up.tax_amount as erp_tax_amount,
        rolled_up.gross_amount as erp_gross_amount,
        rolled_up.line_count as erp_line_count,
        case when rolled_up.tax_code = rolled_up.other_tax_code then rolled_up.tax_code end as erp_tax_code,
        case
            when rolled_up.vat_analysis_code = rolled_up.other_vat_analysis_code
                then nullif(rolled_up.vat_analysis_code, '')
        end as erp_vat_analysis_code
    from lines
    full outer join rolled_up
        on
            lines.marketplace_code = rolled_up.marketplace_code
            and lines.order_id = rolled_up.order_id
            and lines.order_line_id = rolled_up.paired_line_id
),

taxed as (
    select
        joined.marketplace_code,
        pairs.entity_code,
        joined.order_id,
        -- An ERP line that stands for nothing is known by the line it names, else by its document and its own id.
        coalesce(
            joined.order_line_id,
            joined.erp_named_line_id,
            pairs.document_no || '#' || joined.erp_order_line_id
        ) as order_line_id,
        joined.is_in_marketplace,
        joined.is_in_erp,
        coalesce(joined.is_paired_by_item, false) as is_paired_by_item,
        coalesce(joined.is_short_closed, false) as is_erp_short_closed,
        joined.erp_order_line_id,
        pairs.document_no,
        pairs.currency_code,
        joined.line_state,
        coalesce(joined.is_cancelled, false) as is_cancelled,
        {{ add_minutes('joined.cancelled_at', 'pairs.order_import_minutes') }} as cancelation_due_at,
        joined.item_code,
        joined.erp_item_code,
        coalesce(
            joined.item_code <> joined.erp_item_code or joined.item_code <> joined.erp_other_item_code,
            false
        ) as is_item_different,
        coalesce(joined.ordered_quantity, 0) as ordered_quantity,
        coalesce(joined.due_quantity, 0) as due_quantity,
        {{ money('coalesce(joined.due_amount, 0)') }} as due_amount,
        coalesce(joined.erp_quantity, 0) as erp_quantity,
        coalesce(joined.erp_despatched_quantity, 0) as erp_despatched_quantity,
        coalesce(joined.erp_invoiced_quantity, 0) as erp_invoiced_quantity,
        {{ money('coalesce(joined.erp_net_amount, 0)') }} as erp_net_amount,
        {{ money('coalesce(joined.erp_tax_amount, 0)') }} as erp_tax_amount,
        {{ money('coalesce(joined.erp_gross_amount, 0)') }} as erp_gross_amount,
        coalesce(joined.erp_line_count, 0) as erp_line_count,
        joined.erp_tax_code,
        joined.erp_vat_analysis_code,
        joined.offer_state_code,
        pairs.ship_to_country,
        pairs.ship_to_state,
        pairs.order_date,
        pairs.erp_code,
        pairs.is_sale_tax_decided,
        pairs.sale_tax_role as tax_role,
        coalesce(pairs.sale_tax_code, items.tax_code) as tax_code,
        pairs.sale_tax_role,
        -- The sale decides where it has a role of its own, else the item.
        coalesce(pairs.sale_tax_code, items.tax_code) as item_tax_code,
        coalesce(pairs.sale_tax_rate_percent, items.tax_rate_percent) as item_tax_rate_percent
    from joined
    inner join pairs
        on
            joined.marketplace_code = pairs.marketplace_code
            and joined.order_id = pairs.order_id
    left join items
        on
            pairs.erp_code = items.erp_code
            and coalesce(joined.item_code, joined.erp_item_code) = items.item_code
),

analysis_choices as (
    {{ analysis_choices('taxed') }}
),

-- Where the books keep such a code, and from when on.
analysed as (
    select
        erps.erp_code,
        min(analysis_codes.first_day) as first_day
    from {{ ref('stg_tieout__erps') }} as erps
    inner join {{ ref('stg_tieout__analysis_codes') }} as analysis_codes
        on erps.entity_code = analysis_codes.entity_code
    where erps.vat_analysis_slot is not null
    group by erps.erp_code
),

final as (
    select
        taxed.marketplace_code,
        taxed.entity_code,
        taxed.order_id,
        taxed.order_line_id,
        taxed.is_in_marketplace,
        taxed.is_in_erp,
        taxed.is_paired_by_item,
        taxed.is_erp_short_closed,
        taxed.erp_order_line_id,
        taxed.document_no,
        taxed.currency_code,
        taxed.line_state,
        taxed.is_cancelled,
        taxed.cancelation_due_at,
        taxed.item_code,
        taxed.erp_item_code,
        taxed.is_item_different,
        taxed.ordered_quantity,
        taxed.due_quantity,
        taxed.due_amount,
        taxed.erp_quantity,
        taxed.erp_despatched_quantity,
        taxed.erp_invoiced_quantity,
        taxed.erp_net_amount,
        taxed.erp_tax_amount,
        taxed.erp_gross_amount,
        taxed.erp_line_count,
        taxed.erp_tax_code,
        taxed.sale_tax_role,
        taxed.item_tax_code,
        taxed.item_tax_rate_percent,
        analysis_choices.analysis_code as vat_analysis_code,
        taxed.erp_vat_analysis_code,
        -- Whose tax nobody has decided (TAX-002) has no code yet.
        coalesce(
            taxed.is_in_marketplace and taxed.is_in_erp and not taxed.is_cancelled and not taxed.is_item_different
            and taxed.is_sale_tax_decided and taxed.order_date >= analysed.first_day,
            false
        ) as is_analysed
    from taxed
    left join analysis_choices
        on
            {{ analysis_join('taxed', 'analysis_choices') }}
    left join analysed
        on taxed.erp_code = analysed.erp_code
)

select * from final

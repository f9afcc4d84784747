-- One row per feed that a reconciliation level reads: which levels (a to k, as letters) are not proved when it is stale or does not add up.
-- Feeds that are not listed are kept as evidence or for service; no level's figures hang on them.

with final as (
    {% set feeds = {
        'mirakl': {
            'orders': 'abhij', 'transaction_lines': 'bcdfg', 'billing_cycles': 'cdefg', 'invoices': 'd', 'offers': 'hk',
            'shipments': 'i', 'items_to_ship': 'i', 'returns': 'j', 'products': 'k', 'payment_refunds': 'j',
        },
        'sage200': {
            'sop_orders': 'ahi', 'products': 'ahk', 'warehouses': 'h', 'warehouse_holdings': 'h', 'customers': 'a', 'tax_codes': 'a',
            'nominal_codes': 'fg', 'accounting_periods': 'fg', 'nominal_transactions': 'fg',
            'sales_posted_transactions': 'fgj', 'bank_posted_transactions': 'efg',
        },
        'netsuite': {
            'sales_orders': 'ahi', 'sales_order_lines': 'ahi', 'items': 'ahk', 'locations': 'h', 'stock': 'h', 'customers': 'a',
            'tax_codes': 'a', 'fulfilments': 'i', 'fulfilment_lines': 'i', 'tracking_numbers': 'i', 'credit_memos': 'j',
            'credit_memo_lines': 'j', 'accounts': 'fg', 'periods': 'fg', 'gl_lines': 'fg', 'deleted_records': 'afg',
        },
        'bank': {'statements': 'eg'},
    } -%}
    {% for vendor, entities in feeds.items() -%}
    {% set outer_loop = loop -%}
    {% for entity, levels in entities.items() -%}
    select
        '{{ vendor }}' as vendor,
        '{{ entity }}' as feed,
        '{{ levels }}' as level_codes
    {% if not (outer_loop.last and loop.last) -%}
    union all
    {% endif -%}
    {%- endfor -%}
    {%- endfor %}
)

select * from final

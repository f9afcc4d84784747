"""What the configuration must say about currencies: rates that can be used, a source for every foreign marketplace, no
currency that the warehouse could not keep.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.lib.configuration import ANY, ConfigError, ExchangeRate, ExchangeRateRule, Marketplace

if TYPE_CHECKING:
    from orchestration.lib.registry import Registry

ERP_RATES = "ERP"
"""The source that stands for the rates of the entity's own ERP."""
THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
"""Money has two places in the warehouse; NetSuite keeps no more either."""


FOREIGN_ROLES = ("FX_REALISED", "FX_UNREALISED")
"""Roles that the journals of a marketplace in a foreign currency need besides."""


def is_foreign(registry: Registry, marketplace: Marketplace) -> bool:
    """Whether a marketplace trades in another currency than its entity's books are in."""
    own = next((e.functional_currency for e in registry.entities if e.entity_code == marketplace.entity_code), None)
    return own not in (None, marketplace.currency_code)


def wrong_currencies(registry: Registry) -> list[ConfigError]:
    errors = [
        ConfigError(
            row.FILE,
            row.line,
            column,
            currency,
            "has three decimals, of which money keeps two",
            "Leave it out: its amounts would be rounded",
        )
        for row, column, currency in (
            *((entity, "functional_currency", entity.functional_currency) for entity in registry.entities),
            *((marketplace, "currency_code", marketplace.currency_code) for marketplace in registry.marketplaces),
        )
        if currency in THREE_DECIMALS
    ]
    cash_book_only = {erp.erp_code for erp in registry.erps if erp.vendor == "sage200"}
    for row in registry.marketplaces:
        if row.posting_model != "SETTLEMENT_LED":
            continue
        for is_wrong, problem in (
            (is_foreign(registry, row), "needs a marketplace in the currency of its entity's books"),
            # Its cash-book documents put all their VAT on the account for purchases.
            (
                row.erp_code in cash_book_only,
                "needs an ERP that takes journals: Sage 200 would not book the VAT as sales'",
            ),
        ):
            if is_wrong:
                errors.append(
                    ConfigError(row.FILE, row.line, "posting_model", row.posting_model, problem, "Write ORDER_LED")
                )
    for rate in registry.exchange_rates:
        if rate.rate <= 0:
            errors.append(
                ConfigError(rate.FILE, rate.line, "rate", str(rate.rate), "must be more than 0", "Correct it")
            )
        if rate.currency_code == rate.quote_currency_code:
            problem = "is valued in itself"
            errors.append(
                ConfigError(
                    rate.FILE, rate.line, "quote_currency_code", rate.quote_currency_code, problem, "Correct it"
                )
            )
        if rate.rate_source == ERP_RATES:
            problem = "is kept for the rates of the ERP"
            errors.append(
                ConfigError(rate.FILE, rate.line, "rate_source", ERP_RATES, problem, "Give the source another name")
            )
    kept = {rate.rate_source for rate in registry.exchange_rates}
    used = _foreign_entities(registry)
    for entity, marketplace in used.items():
        sources = [row for row in registry.exchange_rate_rules if row.entity_code in (ANY, entity)]
        for purpose in ("LEDGER", "REFERENCE"):
            named = [row.rate_source for row in sources if row.purpose == purpose]
            if not any(source == ERP_RATES or source in kept for source in named):
                errors.append(
                    ConfigError(
                        ExchangeRateRule.FILE if not named else ExchangeRate.FILE,
                        None,
                        "rate_source",
                        ", ".join(named) or None,
                        f"gives {entity} no {purpose} rate, and {marketplace} trades in a foreign currency",
                        "Add the rates; until then its journals in that currency wait (FX-001)",
                        is_blocking=False,
                    )
                )
    return errors


def _foreign_entities(registry: Registry) -> dict[str, str]:
    """Entities with an enabled marketplace in another currency than their own, and the first such marketplace."""
    found: dict[str, str] = {}
    for marketplace in registry.marketplaces:
        if marketplace.is_enabled and marketplace.erp_code and is_foreign(registry, marketplace):
            found.setdefault(marketplace.entity_code, marketplace.marketplace_code)
    return found

"""OF24 by read, modify and write: the call resets every field that it is not sent, so all that an offer holds is sent
again, and where that cannot be proved nothing is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from connectors.decoding import parse_stamp
from connectors.delivery import Action, DeliveryResult, Outcome, Request, Verification
from connectors.errors import ConnectorError
from connectors.mirakl.writes.calls import OFFER_UPDATE, OFFERS_PATH
from connectors.mirakl.writes.imports import Importer
from connectors.mirakl.writes.offer_reading import Offer, Offers, decimal, read_offers
from connectors.mirakl.writes.payloads import amount, count, optional_flag, optional_text, text, texts
from connectors.mirakl.writes.platform import Platform
from connectors.mirakl.writes.sending import Desk, Unfit, failed_read

PRODUCT_SKU = "SKU"
"""OF24's name for the operator's own product id."""
UNREADABLE = frozenset({"NO_PRICING_UNIT", "NO_CUSTOMER_PRICES"})
"""What no read of an offer shows: that it is priced per piece and not per measurement unit, and that it has no prices
for single customers. The payload must state both.
"""
SINGLE = "SINGLE"

_Reader = Callable[[Mapping[str, Any], str], Any]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an offer: its name in OF24 and in OF21, and how a change of it is read from a payload (None: it is
    resent, and cannot be changed here).
    """

    sent: str
    read: str
    change: _Reader | None = None


def _whole(payload: Mapping[str, Any], name: str) -> int:
    return count(payload, name, minimum=0)


FIELDS = (
    Field("allow_quote_requests", "allow_quote_requests", optional_flag),
    Field("available_ended", "available_end_date", optional_text),
    Field("available_started", "available_start_date", optional_text),
    Field("description", "description", optional_text),
    Field("eco_contributions", "eco_contributions"),
    Field("internal_description", "internal_description", optional_text),
    Field("leadtime_to_ship", "leadtime_to_ship", _whole),
    Field("logistic_class", "logistic_class", optional_text),
    Field("max_order_quantity", "max_order_quantity", _whole),
    Field("min_order_quantity", "min_order_quantity", _whole),
    Field("min_quantity_alert", "min_quantity_alert", _whole),
    Field("msrp", "msrp", amount),
    Field("offer_additional_fields", "offer_additional_fields"),
    Field("package_quantity", "package_quantity", _whole),
    Field("price_additional_info", "price_additional_info", optional_text),
    Field("product_tax_code", "product_tax_code", optional_text),
    Field("quantity", "quantity", _whole),
    Field("state_code", "state_code", optional_text),
)

NOT_SET_BY_SELLERS = frozenset(
    {
        "active",
        "applicable_pricing",
        "category_code",
        "category_label",
        "channels",
        "currency_iso_code",
        "discount",
        "favorite_rank",
        "fulfillment",
        "inactivity_reasons",
        "min_shipping_price",
        "min_shipping_price_additional",
        "min_shipping_type",
        "min_shipping_zone",
        "offer_id",
        "price",
        "product_brand",
        "product_description",
        "product_references",
        "product_sku",
        "product_title",
        "shipping_deadline",
        "shop_sku",
        "total_price",
    }
)
"""What OF21 shows besides: the product's, the platform's, what names the offer, and older forms of `all_prices`."""


@dataclass(frozen=True, slots=True)
class Update:
    shop_sku: str
    changes: Mapping[str, Any]


class OfferUpdates:
    """Changes single fields of offers. A payload holds `shop_sku`, `changes` (by OF24's names, of FIELDS that can be
    changed; the quantity always, because the one that is read may be sold before it is sent again) and `states`, what
    cannot be read and is so (UNREADABLE).

    Precondition: OF21 shows the offer, and everything it holds can be sent again: no stock by warehouse, no price for
    a period or a customer, prices of channels only where the platform shows them (PC01), no member (of the offer, a
    custom field, an eco contribution) that OF24 is not known to take. `leadtime_to_ship` is sent as shown, which is
    what counts today, though the offer may have taken it from the platform's default.
    Look-up: OF21 shows the changed fields. After the import the offer is read again and compared with what it was: a
    field that changed besides is named and the action is not verified.
    """

    def __init__(self, desk: Desk, importer: Importer) -> None:
        self._desk = desk
        self._importer = importer
        self._platform = Platform(desk)
        self._damage: dict[str, list[str]] = {}

    def preview(self, actions: Sequence[Action]) -> list[Request]:
        """The offers are read for it: there is no request without what they hold."""
        bodies, _, _, _ = self._bodies(actions)
        if not bodies:
            return []
        return [self._desk.request("POST", OFFERS_PATH, {"offers": list(bodies.values())})]

    def send(self, actions: Sequence[Action]) -> dict[str, DeliveryResult]:
        if not actions:
            return {}
        try:
            bodies, before, changes, results = self._bodies(actions)
        except ConnectorError as error:
            return dict.fromkeys((a.action_key for a in actions), failed_read(error))
        if not bodies:
            return results
        sent = self._importer.run(
            OFFER_UPDATE,
            lambda: self._desk.write(OFFER_UPDATE, "POST", OFFERS_PATH, {"offers": list(bodies.values())}),
            {key: (body["shop_sku"],) for key, body in bodies.items()},
        )
        done = {key: result for key, result in sent.items() if result.outcome is Outcome.SENT}
        try:
            after = read_offers(self._desk, {bodies[key]["shop_sku"] for key in done}).by_sku
        except ConnectorError as error:
            unseen = f"import is complete, but what else it changed could not be read: {error}"
            return (
                results
                | sent
                | {key: DeliveryResult(Outcome.UNKNOWN, result.vendor_ids, unseen) for key, result in done.items()}
            )
        for key, result in done.items():
            damage = _damage(before[key], after.get(bodies[key]["shop_sku"]), changes[key])
            if damage:
                self._damage[key] = damage
                detail = f"{result.detail}; changed besides: {'; '.join(damage)}"
                sent[key] = DeliveryResult(Outcome.SENT, result.vendor_ids, detail)
        return results | sent

    def read_back(self, actions: Sequence[Action], offers: Offers) -> dict[str, Verification]:
        result = {}
        for action in actions:
            try:
                update = _update(action)
            except Unfit as unfit:
                result[action.action_key] = Verification(False, unfit.detail)
                continue
            offer = offers.by_sku.get(update.shop_sku)
            wrong = list(self._damage.get(action.action_key, ()))
            if offer is None:
                wrong.append(f"the shop has no offer with SKU {update.shop_sku}")
            else:
                wrong += _differences(offer, update.changes)
            detail = "; ".join(wrong) or f"the offer has the new {', '.join(sorted(update.changes))}"
            result[action.action_key] = Verification(not wrong, detail)
        return result

    def _bodies(
        self, actions: Sequence[Action]
    ) -> tuple[dict[str, dict[str, Any]], dict[str, Offer], dict[str, Mapping[str, Any]], dict[str, DeliveryResult]]:
        """What to send, what the offers hold and what changes, by key, and a FAILED for each action that cannot be
        sent.
        """
        updates: dict[str, Update] = {}
        results: dict[str, DeliveryResult] = {}
        for action in actions:
            try:
                updates[action.action_key] = _update(action)
            except Unfit as unfit:
                results[action.action_key] = unfit.result()
        offers = read_offers(self._desk, {update.shop_sku for update in updates.values()}).by_sku
        is_single = bool(offers) and self._platform.channel_pricing == SINGLE
        bodies: dict[str, dict[str, Any]] = {}
        before: dict[str, Offer] = {}
        for key, update in updates.items():
            try:
                offer = offers.get(update.shop_sku)
                if offer is None:
                    raise Unfit(f"the shop has no offer with SKU {update.shop_sku}")
                if is_single and offer.get("channels"):
                    raise Unfit(f"prices of the channels of {update.shop_sku} are shown one by one: set them by PRI01")
                bodies[key], before[key] = whole_offer(offer, update), offer
            except Unfit as unfit:
                results[key] = unfit.result()
        return bodies, before, {key: update.changes for key, update in updates.items()}, results


def _update(action: Action) -> Update:
    """Raises Unfit."""
    shop_sku = text(action.payload, "shop_sku")
    stated = frozenset(texts(action.payload, "states") or ())
    if missing := sorted(UNREADABLE - stated):
        raise Unfit(f"the payload does not state {', '.join(missing)}, and it cannot be read")
    given = action.payload.get("changes")
    if not isinstance(given, Mapping) or not given:
        raise Unfit("the payload has no changes")
    readers: dict[str, _Reader] = {field.sent: field.change for field in FIELDS if field.change is not None}
    if unknown := sorted(given.keys() - readers.keys()):
        raise Unfit(f"{', '.join(unknown)} cannot be changed here")
    if "quantity" not in given:
        raise Unfit("changes must say the quantity: the one that is read may be sold before it is sent again")
    changes = {name: readers[name](given, name) for name in sorted(given)}
    if empty := sorted(name for name, value in changes.items() if value is None):
        raise Unfit(f"{', '.join(empty)} would be deleted: that is not a change of a field")
    return Update(shop_sku, changes)


def whole_offer(offer: Offer, update: Update) -> dict[str, Any]:
    """OF24's element with everything that the offer holds, and the changes. Raises Unfit when something of it would be
    lost.
    """
    if offer.get("warehouses"):
        raise Unfit(f"the stock of {update.shop_sku} is held by warehouse, and OF24 would flatten it")
    body: dict[str, Any] = {
        "shop_sku": update.shop_sku,
        "update_delete": "update",
        "product_id": text(offer, "product_sku"),
        "product_id_type": PRODUCT_SKU,
    }
    for field in FIELDS:
        value = _resendable(offer, field.read)
        if value is not None:
            body[field.sent] = value
    prices = _prices(offer, "all_prices")
    default = next((price for price in prices if price.get("channel_code") is None), None)
    if default is None:
        raise Unfit(f"{update.shop_sku} shows no default price, and OF24 needs one")
    body["price"] = default["unit_origin_price"]
    body["all_prices"] = prices
    if offer.get("retail_prices"):
        body["retail_prices"] = _prices(offer, "retail_prices")
    resent = {field.read for field in FIELDS} | PRICES.keys() | NOT_SET_BY_SELLERS
    if unsent := sorted(name for name, value in offer.items() if _is_held(value) and name not in resent):
        raise Unfit(f"{', '.join(unsent)} of {update.shop_sku} might be reset: OF24 is not known to take it")
    return body | dict(update.changes)


def _is_held(value: Any) -> bool:
    return value is not None and value not in ("", [])


def _resendable(offer: Offer, name: str) -> Any:
    """A value as OF21 shows it in the form in which OF24 takes it; None when the offer holds nothing there."""
    value: Any = offer.get(name)
    if not _is_held(value):
        return None
    match name:
        case "logistic_class":
            return text(value, "code") if isinstance(value, Mapping) else value
        case "eco_contributions":
            return [_only(e, {"eco_contribution_amount", "epr_category_code", "producer_id"}, name) for e in value]
        case "offer_additional_fields":
            return [_only(e, {"code", "type", "value"}, name) for e in value]
        case _:
            return value


def _only(entry: Mapping[str, Any], names: set[str], what: str) -> dict[str, Any]:
    """Raises Unfit when the entry holds more than OF24 takes."""
    if others := sorted(name for name in entry if name not in names and _is_held(entry[name])):
        raise Unfit(f"{', '.join(others)} in {what} cannot be sent again")
    return {name: value for name, value in entry.items() if name in names and value is not None}


def _resent_price(entry: Mapping[str, Any]) -> dict[str, Any]:
    context = entry.get("context") or {}
    channels = context.get("channel_codes") or []
    if others := sorted(name for name in context if name != "channel_codes" and _is_held(context[name])):
        raise Unfit(f"a price depends on {', '.join(others)}, which OF24 cannot say: set it by PRI01")
    if len(channels) > 1:
        raise Unfit("a price is shared by several channels, which OF24 cannot say: set it by PRI01")
    channel = channels[0] if channels else entry.get("channel_code")
    price: dict[str, Any] = {} if channel is None else {"channel_code": channel}
    price |= _discounted(entry)
    volumes = [v for v in entry.get("volume_prices") or () if decimal(v.get("quantity_threshold")) != Decimal(1)]
    if volumes:
        names = ("quantity_threshold", "unit_discount_price", "unit_origin_price")
        price["volume_prices"] = [{n: v[n] for n in names if v.get(n) is not None} for v in volumes]
    return price


def _discounted(entry: Mapping[str, Any]) -> dict[str, Any]:
    names = ("discount_end_date", "discount_start_date", "unit_discount_price", "unit_origin_price")
    if decimal(entry.get("unit_origin_price")) is None:
        raise Unfit("a price of the offer cannot be read")
    return {name: entry[name] for name in names if entry.get(name) is not None}


def _comparable(value: Any) -> Any:
    if isinstance(value, str) and (stamp := parse_stamp(value)) is not None:
        return stamp
    return value


def _differences(offer: Offer, changes: Mapping[str, Any]) -> list[str]:
    wrong = []
    for field in FIELDS:
        if field.sent not in changes:
            continue
        held, wanted = _resendable(offer, field.read), changes[field.sent]
        if _comparable(held) != _comparable(wanted):
            wrong.append(f"{field.sent} is {held}, wanted {wanted}")
    return wrong


def _damage(before: Offer, after: Offer | None, changes: Mapping[str, Any]) -> list[str]:
    """What else of the offer is different now, although the request resent it as it was."""
    if after is None:
        return ["the offer is gone"]
    damage = []
    members = {field.read: partial(_resendable, name=field.read) for field in FIELDS if field.sent not in changes}
    members |= {name: partial(_prices, name=name) for name in PRICES}
    for name, resent in members.items():
        try:
            was, now = resent(before), resent(after)
        except Unfit as unfit:
            damage.append(unfit.detail)
            continue
        if _comparable(was) != _comparable(now):
            damage.append(f"{name} was {was}, is {now}")
    return damage


def _prices(offer: Offer, name: str) -> list[dict[str, Any]]:
    return [PRICES[name](entry) for entry in offer.get(name) or ()]


PRICES: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "all_prices": _resent_price,
    "retail_prices": _discounted,
}
"""The lists of prices, and how an entry of each is resent: without the price of the moment, which changes by itself."""

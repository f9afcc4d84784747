"""Creates customer accounts, each once, by its reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from connectors.delivery import Action, DeliveryResult, Found, Outcome, Request, Verification
from connectors.errors import ConnectorError
from connectors.sage200.endpoints import CUSTOMER
from connectors.sage200.journals import Account
from connectors.sage200.writes import documents as d
from connectors.sage200.writes.codes import Codes
from connectors.sage200.writes.sending import Desk, Unfit, failed_read, failed_write

LENGTHS = {"reference": 8, "name": 60, "short_name": 8, "vat_number": 30}
MAXIMUM_ANALYSIS = 60
Row = Mapping[str, Any]


class CustomerDelivery:
    """Creates accounts of kind CUSTOMER; the payload is `documents.Customer`.

    Precondition: no account has the reference. Look-up: `/customers` by `reference`. An account that is there with
    other values is an error: customers are never changed.
    """

    kind = "CUSTOMER"

    def __init__(self, desk: Desk, codes: Codes) -> None:
        self.desk = desk
        self.codes = codes
        self.settle_seconds = desk.settle_seconds

    def preview(self, actions: Sequence[Action]) -> list[Request]:
        """The requests. Where a code cannot be resolved, the reason stands in the body."""
        requests = []
        for action in actions:
            try:
                body = self._body(self._document(action))
            except Unfit as unfit:
                body = {"error": unfit.detail}
            requests.append(self.desk.request("POST", f"/{CUSTOMER.name}", body))
        return requests

    def look_up(self, actions: Sequence[Action]) -> dict[str, Found | None]:
        held = self._held(actions)
        found: dict[str, Found | None] = {}
        for action in actions:
            rows = held.get(_reference(action), [])
            if not rows:
                found[action.action_key] = None
                continue
            problems = self._problems(action, rows)
            detail = f"customer {_reference(action)} exists: {'; '.join(problems) or 'as wanted'}"
            found[action.action_key] = Found(tuple(str(row["id"]) for row in rows), not problems, detail)
        return found

    def send(self, actions: Sequence[Action]) -> dict[str, DeliveryResult]:
        results: dict[str, DeliveryResult] = {}
        try:
            held = self._held(actions)
        except ConnectorError as error:
            return dict.fromkeys((a.action_key for a in actions), failed_read(error))
        for action in actions:
            results[action.action_key] = self._send(action, held)
        return results

    def read_back(self, actions: Sequence[Action]) -> dict[str, Verification]:
        held = self._held(actions)
        result = {}
        for action in actions:
            rows = held.get(_reference(action), [])
            ids = tuple(str(row["id"]) for row in rows)
            problems = self._problems(action, rows) if rows else ["no such customer account"]
            result[action.action_key] = Verification(not problems, "; ".join(problems) or "read back as wanted", ids)
        return result

    def _send(self, action: Action, held: dict[str, list[dict[str, Any]]]) -> DeliveryResult:
        reference = _reference(action)
        name = f"{self.kind} {reference}: "
        try:
            document = self._document(action)
            if rows := held[reference]:
                problems = self._problems(action, rows)
                if problems:
                    raise Unfit(f"it exists already, but {'; '.join(problems)}")
                return DeliveryResult(Outcome.SENT, (str(rows[0]["id"]),), f"{name}exists already")
            body = self._body(document)
        except Unfit as unfit:
            return Unfit(name + unfit.detail).result()
        except ConnectorError as error:
            return failed_read(error)
        try:
            answer = self.desk.write(CUSTOMER, body)
        except ConnectorError as error:
            return failed_write(error, f"{name}{error}")
        # A second action of the batch with this reference finds it.
        held[reference] = [answer]
        given = str(answer.get("reference") or reference)
        ids = (str(answer.get("id")),) if answer.get("id") else ()
        if given != reference:
            detail = (
                f"{name}Sage gave it the reference {given} (it numbers accounts itself): use that in marketplaces.csv"
            )
            return DeliveryResult(Outcome.FAILED, ids, detail)
        return DeliveryResult(Outcome.SENT, ids, f"{name}created")

    def _held(self, actions: Sequence[Action]) -> dict[str, list[dict[str, Any]]]:
        return self.desk.by_key("customers", {key for key in map(_reference, actions) if key})

    def _document(self, action: Action) -> d.Customer:
        document = d.read(action.payload, d.Customer)
        for field, longest in LENGTHS.items():
            text = getattr(document, field)
            if text is not None and not 1 <= len(text) <= longest:
                raise Unfit(f"{field} has {len(text)} characters, Sage holds 1 to {longest}")
        return document

    def _body(self, document: d.Customer) -> dict[str, Any]:
        body: dict[str, Any] = {
            "reference": document.reference,
            "name": document.name,
            "short_name": document.short_name or document.reference,
            "currency_id": self.codes.currency(document.currency_code)["id"],
            "account_type": "TradingAccountTypeOpenItem",
            **analysis(document.analysis_codes, "analysis_codes"),
        }
        if document.tax_code is not None:
            body["default_tax_code_id"] = self.codes.tax_code(document.tax_code)["id"]
        if document.vat_number is not None:
            body["vat_number"] = document.vat_number
        if document.credit_limit is not None:
            body["credit_limit"] = d.amount(document.credit_limit, "credit_limit")
        if document.payment_terms_days is not None:
            body["payment_terms_days"] = document.payment_terms_days
            body["payment_terms_basis"] = "PaymentDueFromDocumentDate"
        if document.account_code is not None:
            account = Account(document.account_code, document.cost_centre or "", document.department or "")
            self.codes.nominal(account, "account_code")
            body["default_nominal_code_reference"] = account.code
            body["default_nominal_code_cost_centre"] = account.cost_centre
            body["default_nominal_code_department"] = account.department
        if document.main_address is not None:
            names = {
                "address_1": document.main_address.street_1,
                "address_2": document.main_address.street_2,
                "city": document.main_address.city,
                "county": document.main_address.state,
                "postcode": document.main_address.postcode,
            }
            body["main_address"] = {name: value for name, value in names.items() if value}
        return body

    def _problems(self, action: Action, rows: Sequence[Row]) -> list[str]:
        """In what the account is not what is wanted. Only what the payload says is compared."""
        if len(rows) > 1:
            return [f"{len(rows)} accounts have this reference"]
        try:
            wanted = self._body(self._document(action))
        except Unfit as unfit:
            return [unfit.detail]
        # Children come only when expanded, and the address of an account is its people's affair.
        compared = {name: value for name, value in wanted.items() if name not in {"main_address", "account_type"}}
        return [
            f"its {name} is another" for name, value in compared.items() if _plain(rows[0].get(name)) != _plain(value)
        ]


def analysis(codes: Mapping[str, str], field: str) -> dict[str, str]:
    """Analysis codes by slot number (`"1"` to `"20"`) as Sage's members. Raises Unfit."""
    found = {}
    for slot, text in codes.items():
        if not (slot.isascii() and slot.isdigit() and 1 <= int(slot) <= 20):
            raise Unfit(f"{field}: {slot!r} is no analysis code (1 to 20; Standard has 1 to 5)")
        if len(text) > MAXIMUM_ANALYSIS:
            raise Unfit(f"{field}[{slot}] has {len(text)} characters, Sage holds {MAXIMUM_ANALYSIS}")
        found[f"analysis_code_{int(slot)}"] = text
    return found


def _reference(action: Action) -> str:
    return str(action.payload.get("reference") or "")


def _plain(value: Any) -> Any:
    """An absent member, an empty text and nil are the same to Sage."""
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return Decimal(value).normalize() if value else None
    return value or None

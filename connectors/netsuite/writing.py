"""What all writes to NetSuite have in common: looked up first, sent once, resolved by look-up, compared afterwards."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from connectors.delivery import Action, DeliveryResult, Found, Outcome, Request, Verification
from connectors.errors import ConnectorError
from connectors.netsuite.client import NetSuiteConnector
from connectors.netsuite.records import (
    WRITE_HEADERS,
    BadRecord,
    Held,
    Records,
    can_pass,
    encoded,
    external_id,
    result_of,
    says_already_there,
)

Evidence = Mapping[str, Decimal]
"""What a transaction holds, in the terms in which it is compared: by account id, or by item id and measure."""


class Document(Protocol):
    @property
    def wire_key(self) -> str: ...


D = TypeVar("D", bound=Document)


class RecordDelivery(ABC, Generic[D]):
    """Delivers one kind of transaction: `record` is its name in the record service, `type_code` in SuiteQL, `prefix`
    begins its external ids.

    What carries the external id already is never sent again: it is done when it agrees with what is wanted, and an
    error when it does not.
    """

    kind: str
    record: ClassVar[str]
    prefix: ClassVar[str]
    type_code: ClassVar[str]
    batch_size: int = 100
    """What one look-up answers (TRANSACTIONS_PER_LOOK_UP), so that looking up costs little beside posting.
    A lost connection leaves only those in doubt that were being sent at that moment."""

    def __init__(self, connector: NetSuiteConnector) -> None:
        self._connector = connector
        self._records = Records(connector)

    # --- what a kind defines ---

    @abstractmethod
    def _document(self, payload: Mapping[str, Any]) -> D:
        """The payload, typed. Raises BadRecord."""

    def _path(self, document: D) -> str:
        """Where it is posted to, below the record service. Raises BadRecord."""
        return self.record

    @abstractmethod
    def _body(self, document: D) -> dict[str, Any]:
        """The record, without its external id, codes resolved by reading. Raises BadRecord or a ConnectorError."""

    @abstractmethod
    def _evidence(self, held: Sequence[Held]) -> Mapping[str, Evidence]:
        """What these transactions hold, by their ids."""

    @abstractmethod
    def _differences(self, document: D, held: Held, evidence: Evidence) -> list[str]:
        """In what a transaction is not what is wanted."""

    def _waits(self, held: Held) -> bool:
        """Whether it is there and still has no effect."""
        return False

    def _release(self, held: Held) -> None:
        """Give it effect; only for kinds that may wait."""
        # Reached only by a kind whose `_waits` says yes and that does not say how it is released: a mistake of ours.
        raise NotImplementedError(f"{self.kind} never waits")

    @property
    def _may_release(self) -> bool:
        return False

    # --- the protocol ---

    def preview(self, actions: Sequence[Action]) -> list[Request]:
        """The requests. Codes are resolved by reading NetSuite; where that fails, the reason stands in the body."""
        requests = []
        for action in actions:
            path = self.record
            try:
                path, body = self._request(action)
            except BadRecord as error:
                body = {"error": str(error)}
            headers = {"Authorization": "***", **WRITE_HEADERS}
            requests.append(Request("POST", self._records.url(path), headers, encoded(body).decode()))
        return requests

    def look_up(self, actions: Sequence[Action]) -> dict[str, Found | None]:
        held, evidence = self._look(actions)
        result: dict[str, Found | None] = {}
        for action in actions:
            found = held.get(self._key(action), [])
            if not found:
                result[action.action_key] = None
                continue
            problems = self._problems(action, found, evidence)
            if not problems and self._may_release and self._waits(found[0]):
                problems = ["it waits for approval"]
            detail = f"{self._key(action)} is there: {'; '.join(problems) or 'as wanted'}"
            result[action.action_key] = Found(tuple(h.id for h in found), not problems, detail)
        return result

    def send(self, actions: Sequence[Action]) -> dict[str, DeliveryResult]:
        """Post what is not there yet, as many at once as the account's limit allows."""
        self._records.forget_periods()
        try:
            held, evidence = self._look(actions)
        except ConnectorError as error:
            # Only read so far: nothing was written.
            failed = DeliveryResult(Outcome.FAILED, detail=str(error), retryable=can_pass(error))
            return {action.action_key: failed for action in actions}

        def send(action: Action) -> DeliveryResult:
            return self._send(action, held.get(self._key(action), []), evidence)

        first = {action.wire_key: action.action_key for action in reversed(actions)}
        own = [action for action in actions if first[action.wire_key] == action.action_key]
        twice = DeliveryResult(Outcome.FAILED, detail="another action of this batch has the same wire key")
        results = {action.action_key: twice for action in actions}
        results.update(zip((a.action_key for a in own), self._in_parallel(send, own), strict=True))
        return results

    def read_back(self, actions: Sequence[Action]) -> dict[str, Verification]:
        held, evidence = self._look(actions)
        return {a.action_key: self._verify(a, held.get(self._key(a), []), evidence) for a in actions}

    # --- sending ---

    def _in_parallel(self, send: Callable[[Action], DeliveryResult], actions: Sequence[Action]) -> list[DeliveryResult]:
        """Each action once, with no more threads than the account has places."""
        if len(actions) < 2:
            return [send(action) for action in actions]
        with ThreadPoolExecutor(min(self._connector.client.limiter.limit, len(actions))) as pool:
            return list(pool.map(send, actions))

    def _request(self, action: Action) -> tuple[str, dict[str, Any]]:
        document = self._read(action)
        key = external_id(self.prefix, action.wire_key)
        return self._path(document), {"externalId": key, **self._body(document)}

    def _read(self, action: Action) -> D:
        document = self._document(action.payload)
        if document.wire_key != action.wire_key:
            raise BadRecord("the payload's wire_key is not the action's")
        return document

    def _send(self, action: Action, held: Sequence[Held], evidence: Mapping[str, Evidence]) -> DeliveryResult:
        if held:
            return self._settle(action, held, evidence)
        try:
            path, body = self._request(action)
        except BadRecord as error:
            return DeliveryResult(Outcome.FAILED, detail=str(error))
        except ConnectorError as error:
            return DeliveryResult(Outcome.FAILED, detail=str(error), retryable=can_pass(error))
        try:
            identifier = self._records.create(path, body)
        except ConnectorError as error:
            return self._resolve(action, error) if says_already_there(error) else result_of(error)
        return DeliveryResult(Outcome.SENT, (identifier,), f"posted {self._key(action)}")

    def _resolve(self, action: Action, refusal: ConnectorError) -> DeliveryResult:
        """NetSuite says that the external id is taken: what it holds tells whether by this very document."""
        try:
            held, evidence = self._look([action])
        except ConnectorError as error:
            return DeliveryResult(Outcome.UNKNOWN, detail=f"{refusal}; and the look-up failed: {error}")
        found = held[self._key(action)]
        if not found:
            return DeliveryResult(Outcome.FAILED, detail=f"{refusal}; yet no transaction has it", retryable=True)
        return self._settle(action, found, evidence)

    def _settle(self, action: Action, held: Sequence[Held], evidence: Mapping[str, Evidence]) -> DeliveryResult:
        """What is there already is never posted again; one that waits for approval is approved."""
        key, ids = self._key(action), tuple(h.id for h in held)
        try:
            problems = self._problems(action, held, evidence)
            if problems:
                return DeliveryResult(Outcome.FAILED, ids, f"{key} is there already, but {'; '.join(problems)}")
            if self._may_release and self._waits(held[0]):
                self._release(held[0])
                return DeliveryResult(Outcome.SENT, ids, f"{key} was there, and is approved now")
        except ConnectorError as error:
            # An approval that was given twice is given once: the next look-up tells.
            result = result_of(error)
            return DeliveryResult(result.outcome, ids, result.detail, result.retryable)
        return DeliveryResult(Outcome.SENT, ids, f"{key} is there already")

    # --- finding and proving ---

    def _key(self, action: Action) -> str:
        """The action's external id; empty when it cannot have one, which sending it then explains."""
        try:
            return external_id(self.prefix, action.wire_key)
        except BadRecord:
            return ""

    def _look(self, actions: Sequence[Action]) -> tuple[dict[str, list[Held]], Mapping[str, Evidence]]:
        held = self._records.held(key for key in map(self._key, actions) if key)
        mine = [h for found in held.values() for h in found if h.type == self.type_code]
        return held, self._evidence(mine) if mine else {}

    def _problems(self, action: Action, held: Sequence[Held], evidence: Mapping[str, Evidence]) -> list[str]:
        """In what the transactions under the action's external id are not what is wanted."""
        if len(held) > 1:
            return [f"{len(held)} transactions have this external id ({', '.join(h.id for h in held)})"]
        (only,) = held
        if only.type != self.type_code:
            return [f"transaction {only.id} is a {only.type}"]
        if only.is_voided:
            return [f"{only.tran_id or only.id} is voided"]
        try:
            return self._differences(self._read(action), only, evidence.get(only.id, {}))
        except BadRecord as error:
            return [str(error)]

    def _verify(self, action: Action, held: Sequence[Held], evidence: Mapping[str, Evidence]) -> Verification:
        if not held:
            return Verification(False, "no transaction has its external id")
        ids = tuple(h.id for h in held)
        problems = self._problems(action, held, evidence)
        if not problems and self._waits(held[0]):
            problems = ["it waits for approval and has no effect yet"]
        if problems:
            return Verification(False, "; ".join(problems), ids)
        return Verification(True, f"{held[0].tran_id or ids[0]} read back and as wanted", ids)


def date_difference(held: Held, day: str) -> list[str]:
    return [f"it is dated {held.day}, wanted {day}"] if held.day != day else []


def differences(here: Evidence, wanted: Evidence, verb: str) -> list[str]:
    """Each entry whose number is another."""
    return [
        f"{name} {verb} {here.get(name, Decimal(0))}, wanted {wanted.get(name, Decimal(0))}"
        for name in sorted(wanted.keys() | here.keys())
        if here.get(name, Decimal(0)) != wanted.get(name, Decimal(0))
    ]

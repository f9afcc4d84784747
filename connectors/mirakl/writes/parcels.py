"""Tracking data: as a payload gives them, as each call takes them, as each read shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.mirakl.writes.payloads import optional_text
from connectors.mirakl.writes.sending import Unfit


@dataclass(frozen=True, slots=True)
class Tracking:
    """A registered carrier by `carrier_code`, or any other by `carrier_name`. For a registered carrier Mirakl computes
    the address of the tracking page itself and ignores a given one.
    """

    carrier_code: str | None
    carrier_name: str | None
    carrier_standard_code: str | None
    tracking_number: str | None
    tracking_url: str | None

    def for_order(self) -> dict[str, str]:
        """As OR23 takes it."""
        return _given(
            carrier_code=self.carrier_code,
            carrier_name=self.carrier_name,
            carrier_standard_code=self.carrier_standard_code,
            carrier_url=self.tracking_url,
            tracking_number=self.tracking_number,
        )

    def for_shipment(self) -> dict[str, str]:
        """As ST01 and ST23 take it."""
        return _given(
            carrier_code=self.carrier_code,
            carrier_name=self.carrier_name,
            carrier_standard_code=self.carrier_standard_code,
            tracking_number=self.tracking_number,
            tracking_url=self.tracking_url,
        )

    def differences(self, code: str | None, name: str | None, number: str | None, url: str | None) -> list[str]:
        """What the marketplace holds otherwise. Empty: it holds this tracking."""
        pairs = [("tracking number", number, self.tracking_number)]
        if self.carrier_code is not None:
            pairs.append(("carrier", code, self.carrier_code))
        else:
            pairs += [("carrier", name, self.carrier_name), ("tracking page", url, self.tracking_url)]
        return [
            f"{what} is {held or 'missing'}, wanted {wanted}"
            for what, held, wanted in pairs
            if wanted is not None and held != wanted
        ]


def tracking(payload: Mapping[str, Any]) -> Tracking:
    """The tracking of a payload. Raises Unfit when it names no carrier."""
    found = Tracking(
        optional_text(payload, "carrier_code"),
        optional_text(payload, "carrier_name"),
        optional_text(payload, "carrier_standard_code"),
        optional_text(payload, "tracking_number"),
        optional_text(payload, "tracking_url"),
    )
    if found.carrier_code is None and found.carrier_name is None:
        raise Unfit("the tracking names no carrier: neither carrier_code nor carrier_name")
    return found


def _given(**members: str | None) -> dict[str, str]:
    return {name: value for name, value in members.items() if value is not None}

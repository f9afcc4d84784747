"""Every member that Mirakl documents, by feed and by the dotted path of its object.

Source: the seller's and the operator's specification published 2026-07-20 taken together, members that their own
examples print beside them (`shop`, `payment_voucher_number` of TL02; IV01's automatic invoices; the spellings of RT11
and ST11), and for S20, PA11 and PA12, whose schemas the operator's specification holds without their calls, also what
public operator connectors show. A member that is not here is counted as unknown, so that a growing API is noticed;
nothing is refused for it. Only the objects that a feed walks are listed: what hangs below a member that is not read may
be anything.
"""

from __future__ import annotations

from connectors.mirakl.documented.logistics import DOCUMENTED as LOGISTICS
from connectors.mirakl.documented.money import DOCUMENTED as MONEY
from connectors.mirakl.documented.offers import DOCUMENTED as OFFERS
from connectors.mirakl.documented.orders import DOCUMENTED as ORDERS
from connectors.mirakl.documented.settings import DOCUMENTED as SETTINGS

DOCUMENTED: dict[str, dict[str, frozenset[str]]] = {**ORDERS, **MONEY, **OFFERS, **LOGISTICS, **SETTINGS}

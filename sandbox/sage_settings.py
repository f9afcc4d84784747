"""Behaviours of Sage 200 that can be chosen, because sites differ or because Sage documents nothing."""

from dataclasses import dataclass

SITES = ("usual", "none", "no_company")
EDITIONS = ("Professional", "Standard")
FILTER_ANSWERS = ("array", "value")
SIGNS = ("negative", "positive")
INVOICE_REFERENCES = ("invoice", "order")
REFUSAL_FORMS = ("text", "json", "errors", "empty")
ARCHIVED_ORDERS = ("shown", "hidden")


_CHOICES = {
    "edition": EDITIONS,
    "sites": SITES,
    "list_form": FILTER_ANSWERS,
    "credit_sign": SIGNS,
    "payment_sign": SIGNS,
    "invoice_reference": INVOICE_REFERENCES,
    "refusal_form": REFUSAL_FORMS,
    "archived_orders": ARCHIVED_ORDERS,
}


@dataclass
class SageSettings:
    """The defaults are what was observed, else the stricter of what is thinkable.

    - edition: `Standard` knows no Professional-only members.
    - sites: `none`: the gateway has lost the site (an empty list); `no_company`: the site is listed without a company.
    - tunnel_up: off, every call of the company is answered with 504; sign-in and the list of sites go on.
    - calls_a_minute: more are answered with 429; 0: no limit (Sage publishes none).
    - counts: off, `$count` is ignored as by an older site, and rows come.
    - list_form: `value` wraps lists in `{"value": [...]}`, as one client reports.
    - maximum_rows: a page has no more, whatever `$top` says.
    - hides: resources that the site is too old for (404), separated by commas.
    - forbids: resources that the user's role lacks (403), separated by commas.
    - token_seconds: life of an access token. consent_days: life of a consent; refreshing does not prolong it unless
      `consent_slides`.
    - credit_sign, payment_sign: how credit notes show in the sales ledger and payments in the cash book.
    - invoice_reference: whether the `reference` of an order's posted invoice is the invoice's number or the order's;
      `second_reference` is the other.
    - refusal_form: how the text of a 400 comes; `empty`: it does not.
    - archived_orders: whether the list of orders shows those that are complete.
    """

    edition: str = "Professional"
    sites: str = "usual"
    tunnel_up: bool = True
    calls_a_minute: int = 0
    counts: bool = True
    list_form: str = "array"
    maximum_rows: int = 5000
    hides: str = ""
    forbids: str = ""
    token_seconds: int = 28_800
    consent_days: int = 90
    consent_slides: bool = False
    credit_sign: str = "negative"
    payment_sign: str = "negative"
    invoice_reference: str = "invoice"
    refusal_form: str = "text"
    archived_orders: str = "shown"

    def change(self, name: str, value: object) -> None:
        """Raises KeyError for an unknown switch, ValueError for a value that it does not take."""
        if name not in self.__dataclass_fields__:
            raise KeyError(name)
        choices = _CHOICES.get(name)
        if choices is not None and value not in choices:
            raise ValueError(f"{name} is one of {', '.join(choices)}")
        setattr(self, name, type(getattr(self, name))(value))

    @property
    def hidden(self) -> frozenset[str]:
        return frozenset(part.strip() for part in self.hides.split(",") if part.strip())

    @property
    def forbidden(self) -> frozenset[str]:
        return frozenset(part.strip() for part in self.forbids.split(",") if part.strip())

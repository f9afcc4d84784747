"""Check-lists for the day on which somebody else takes over."""

from __future__ import annotations

HANDOVERS: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "finance": (
        "FINANCE",
        (
            ("Knows what every role of accounts.csv is for, and which accounts nobody posts to by hand", ""),
            ("Can explain one pay-out to the penny, from the bank line to the orders", "tieout explain ID"),
            ("Has approved and rejected one action, and found both in the audit trail", "tieout audit log"),
            ("Has matched a receipt by hand, and taken it back", "tieout decisions"),
            ("Knows the limits of a write-off (tolerances.csv, WRITE_OFF), and who approves above them", ""),
            ("Has seen the claims of a month, and how they are sent", "tieout claims"),
            ("Has closed a month as preparer or reviewer", "tieout close {period} --entity {entity}"),
            ("Knows who may change transaction_types.csv and accounts.csv, and that a second person agrees", ""),
            ("Gets the alerts and the digest of the team", "tieout alerts digest --team FINANCE"),
            ("Has taken over the open causes of the one who leaves", "tieout alerts --team FINANCE"),
        ),
    ),
    "operations": (
        "OPERATIONS",
        (
            ("Can say which lane does what, and when it ran last", "tieout status"),
            (
                "Knows where the keys are, and when consents and certificates end",
                "tieout doctor --offline",
            ),
            ("Has stopped all writing in a drill (TIEOUT_WRITE_BACK=off), and one kind in switches.csv", ""),
            ("Has restored a backup into another folder, and verified it", "tieout audit verify"),
            ("Has mapped a warehouse, a carrier and an item", ""),
            ("Knows what UNKNOWN means, and that nothing is sent again by hand", "tieout actions --state UNKNOWN"),
            ("Has worked off one finding of the audit", "tieout audit systems --offline"),
            ("Gets the alerts, by night too", "tieout alerts digest --team OPERATIONS"),
            ("Has taken over the open causes of the one who leaves", "tieout alerts --team OPERATIONS"),
        ),
    ),
    "customer-service": (
        "CUSTOMER_SERVICE",
        (
            ("Can look an order up by order number and tracking number", "tieout explain ID"),
            ("Can look an order up by the customer's postcode and relay address", "tieout privacy find CLUE"),
            ("Can say whether a customer has been refunded, and when", ""),
            ("Knows that personal data are masked, and that revealing them is logged", ""),
            ("Gets the digest of the team", "tieout alerts digest --team CUSTOMER_SERVICE"),
        ),
    ),
}

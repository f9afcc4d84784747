"""Exception codes that no generated world holds, each with the reason and with what proves it instead."""

EXEMPT: dict[str, str] = {
    "CLS-001": "It takes people who lock a month too early; a unit test of int_matching__findings holds each way.",
    "CLS-002": "It takes a reviewer of their own decisions; tests of the store and of int_matching__findings hold it.",
    "CUS-002": "Evidence would have to be two years old; a unit test of int_matching__retention holds both sides.",
    "FX-001": "No generated seller trades in foreign currency; a unit test of int_ledger__daily_rates holds its kinds.",
    "JNL-001": "It takes a person's rejection or an ERP's refusal; a unit test of a journal's states holds it.",
    "JNL-006": "A settlement's and a receipt's journal balance by construction; a unit test feeds lines that do not.",
}
"""Codes that a model raises and no world causes."""

NOT_RAISED: dict[str, str] = {
    "TAX-008": "The configuration does not know an entity's VAT periods yet, so no date can lie in two of them.",
}
"""Codes that no model raises yet: a gap, not an argument."""

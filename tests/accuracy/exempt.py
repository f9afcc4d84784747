"""Exception codes that no generated world holds, each with the reason and with what proves it instead."""

EXEMPT: dict[str, str] = {
    "CLS-001": "Somebody has to lock a month too early: the demo's people do it, and a unit test of the findings.",
    "CLS-002": "Somebody has to review their own decision: the demo's people do it, and tests of the store.",
    "CUS-002": "Evidence would have to be two years old; a unit test of int_matching__retention holds both sides.",
    "JNL-001": "It takes a person's rejection or an ERP's refusal; a unit test of a journal's states holds it.",
    "JNL-006": "A settlement's and a receipt's journal balance by construction; a unit test feeds lines that do not.",
}
"""Codes that a model raises and no world causes."""

NOT_RAISED: dict[str, str] = {}
"""Codes that no model raises yet: a gap, not an argument."""

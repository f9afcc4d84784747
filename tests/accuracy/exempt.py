"""Exception codes that no generated world can hold, each with the reason and with what proves it instead."""

EXEMPT: dict[str, str] = {}

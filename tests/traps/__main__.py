"""`python -m tests.traps > docs/traps.md`."""

from tests.traps.documentation import page

print(page(), end="")

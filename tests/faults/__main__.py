"""Prints the fault table as a page of the documentation."""

from tests.faults.documentation import page

print(page(), end="")

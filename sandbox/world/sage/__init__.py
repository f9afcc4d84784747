"""Sage 200's view of the world: tables by resource name, each record with the vendor's field names.

Null properties are left out, missing foreign keys are 0, business dates are midnight with a Z, amounts have two places,
quantities and unit prices five, as the API answers.
"""

from sandbox.world.sage.company import render

__all__ = ["render"]

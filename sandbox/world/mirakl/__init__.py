"""Mirakl's view of the world: every record in the shape that its API publishes, for a shop and for an operator.

Parts that many records share (shop, order reference, customer) are one object: read-only for whoever serves them.
"""

from sandbox.world.mirakl.seller import render

__all__ = ["render"]

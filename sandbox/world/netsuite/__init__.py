"""NetSuite's view of the world: the neutral books as the vendor's tables, in a company that has what real ones have."""

from sandbox.world.netsuite.account import Account, account_of, render

__all__ = ["Account", "account_of", "render"]

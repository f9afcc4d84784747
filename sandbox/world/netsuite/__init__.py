"""NetSuite's view of the world: the neutral books as the vendor's tables, in a company that has what real ones have."""

from sandbox.world.netsuite.account import ACCOUNTS, Account, render

__all__ = ["ACCOUNTS", "Account", "render"]

"""The seeded world behind the sandbox: marketplaces, the books of sellers in their ERPs, a bank, and the truth."""

from sandbox.world.build import (
    ALL_MARKETPLACES,
    DEFAULT_AS_OF,
    MARKETPLACES,
    World,
    build_world,
    first_day_of_trade,
)
from sandbox.world.configuration import configuration_rows
from sandbox.world.model import BankWorld, MiraklWorld, SageWorld, StatementFile

__all__ = [
    "ALL_MARKETPLACES",
    "DEFAULT_AS_OF",
    "MARKETPLACES",
    "BankWorld",
    "MiraklWorld",
    "SageWorld",
    "StatementFile",
    "World",
    "build_world",
    "configuration_rows",
    "first_day_of_trade",
]

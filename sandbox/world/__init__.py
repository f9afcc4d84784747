"""The seeded world behind the sandbox: two marketplaces, an ERP company, a bank, and the truth about them."""

from sandbox.world.build import DEFAULT_AS_OF, MARKETPLACES, World, build_world
from sandbox.world.configuration import configuration_rows
from sandbox.world.model import BankWorld, MiraklWorld, SageWorld, StatementFile

__all__ = [
    "DEFAULT_AS_OF",
    "MARKETPLACES",
    "BankWorld",
    "MiraklWorld",
    "SageWorld",
    "StatementFile",
    "World",
    "build_world",
    "configuration_rows",
]

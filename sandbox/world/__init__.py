"""The seeded world behind the sandbox: a marketplace, an ERP company, a bank, and the truth about them."""

from sandbox.world.build import DEFAULT_AS_OF, World, build_world
from sandbox.world.configuration import configuration_rows
from sandbox.world.model import BankWorld, MiraklWorld, SageWorld, StatementFile

__all__ = [
    "DEFAULT_AS_OF",
    "BankWorld",
    "MiraklWorld",
    "SageWorld",
    "StatementFile",
    "World",
    "build_world",
    "configuration_rows",
]

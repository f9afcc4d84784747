"""The second marketplace, seen by its operator: hundreds of sellers, every payment workflow, taxes, reserves."""

from sandbox.world.plaza import balance_faults as balance_faults
from sandbox.world.plaza import document_faults as document_faults
from sandbox.world.plaza.build import Plaza, build_plaza
from sandbox.world.plaza.catalogue import MARKETPLACE

__all__ = ["MARKETPLACE", "Plaza", "build_plaza"]

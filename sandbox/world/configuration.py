"""The rows of the configuration that the generated world keeps to."""

from sandbox.world import catalogue
from sandbox.world.business import BRICO, HOMELY
from sandbox.world.plaza import catalogue as plaza_catalogue


def configuration_rows() -> dict[str, list[dict[str, str]]]:
    """Commission contracts, fee rules and price lists of all marketplaces, by seed file: who changes one side sees the
    other.
    """
    parts = [catalogue.configuration_rows(business.marketplace) for business in (BRICO, HOMELY)]
    parts.append(plaza_catalogue.configuration_rows())
    return {name: [row for part in parts for row in part.get(name, ())] for name in parts[0]}

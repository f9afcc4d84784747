"""The rows of the configuration that the generated world keeps to."""

from sandbox.world import catalogue
from sandbox.world.plaza import catalogue as plaza_catalogue


def configuration_rows() -> dict[str, list[dict[str, str]]]:
    """Commission contracts and fee rules of both marketplaces, by seed file: who changes one side sees the other."""
    first, second = catalogue.configuration_rows(), plaza_catalogue.configuration_rows()
    return {name: first[name] + second[name] for name in first}

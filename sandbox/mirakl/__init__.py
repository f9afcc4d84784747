"""Mirakl's API over HTTP: authentication, shops, roles, parameters, paging, limits and error bodies."""

from sandbox.mirakl.account import MiraklAccount, MiraklSettings
from sandbox.mirakl.routes import MiraklApi

__all__ = ["MiraklAccount", "MiraklApi", "MiraklSettings"]

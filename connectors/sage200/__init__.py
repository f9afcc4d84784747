from connectors.sage200.client import Sage200Connector

__all__ = ["Sage200Connector"]

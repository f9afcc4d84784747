from connectors.mirakl.client import MiraklConnector

__all__ = ["MiraklConnector"]

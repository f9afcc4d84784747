from connectors.netsuite.auth import Certificate, Tokens
from connectors.netsuite.client import NetSuiteConnector
from connectors.netsuite.limiter import AccountLimiter

__all__ = ["AccountLimiter", "Certificate", "NetSuiteConnector", "Tokens"]

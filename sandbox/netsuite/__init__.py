"""A NetSuite account as a local server: sign-in, SuiteQL executed on the vendor's tables, and the record service."""

from sandbox.netsuite.api import NetSuiteApi
from sandbox.netsuite.sign_in import NetSuiteClient, NetSuiteSignIn, new_certificate
from sandbox.netsuite.world import NetSuiteSettings, NetSuiteWorld

__all__ = ["NetSuiteApi", "NetSuiteClient", "NetSuiteSettings", "NetSuiteSignIn", "NetSuiteWorld", "new_certificate"]

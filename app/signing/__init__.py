"""Signing in: a local users file, an identity provider, or a link that this machine's user gets printed."""

"""`tieout audit`: looks at the connected systems as a consultant would, from what is published, configured and probed.
One function per check; docs/audit.md lists them.
"""

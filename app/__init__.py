"""The web app: pages for finance, analysts, operations and customer service, over the published marts and the outbox."""

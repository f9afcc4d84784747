"""The workbench: a web app over the published marts, which decides through the outbox's public functions only."""

"""The API client: one call requests one page, signed and retried."""

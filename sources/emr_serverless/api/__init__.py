"""The API: one call is one signed, retried request for one page."""

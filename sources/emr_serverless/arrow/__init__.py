"""From the bytes of a response to Arrow tables."""

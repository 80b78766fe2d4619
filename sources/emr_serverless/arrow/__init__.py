"""From the bytes of an answer to Arrow tables."""

"""Masking of secrets in memory, before anything is written."""

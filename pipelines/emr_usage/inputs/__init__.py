"""The inputs of the user: rates, owners and list prices, as CSV files that are validated and loaded together."""

from __future__ import annotations

from .folder import default_folder, read_inputs, write_examples
from .load import LoadedInputs, input_rows, load_inputs
from .tables import INPUT_TABLES

__all__ = ["INPUT_TABLES", "LoadedInputs", "default_folder", "input_rows", "load_inputs", "read_inputs", "write_examples"]

"""The inputs that the user owns: prices, owners, list prices. CSV files of a folder, checked and loaded as a whole."""

from __future__ import annotations

from .folder import default_folder, read_inputs, write_examples
from .load import LoadedInputs, load_inputs
from .tables import INPUT_TABLES

__all__ = ["INPUT_TABLES", "LoadedInputs", "default_folder", "load_inputs", "read_inputs", "write_examples"]

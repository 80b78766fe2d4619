"""Closed months: their statements, which never change, and how a month is closed."""

from __future__ import annotations

from .close import close_month
from .read import MonthStatement, read_statement
from .statement import Statement

__all__ = ["MonthStatement", "Statement", "close_month", "read_statement"]

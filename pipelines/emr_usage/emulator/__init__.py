"""An emulator of the EMR Serverless Spark API (2023-08-08), over real HTTP, for tests and demonstrations.

It imports nothing from the source, so that it cannot share the source's mistakes: it follows the vendor's documents, and is
tested with the vendor's SDK.
"""

from .clock import Clock
from .errors import ApiError
from .faults import Faults
from .gateway import RequestRecord
from .run import Run, estimated_cu_hours
from .scenario import SECRETS, company
from .serve import serve_forever
from .server import Emulator
from .signature import DEFAULT_KEY, AccessKey
from .state import State
from .variants import Variants
from .workspaces import queue_fields, workspace_fields

__all__ = [
    "DEFAULT_KEY",
    "SECRETS",
    "AccessKey",
    "ApiError",
    "Clock",
    "Emulator",
    "Faults",
    "RequestRecord",
    "Run",
    "State",
    "Variants",
    "company",
    "estimated_cu_hours",
    "queue_fields",
    "serve_forever",
    "workspace_fields",
]

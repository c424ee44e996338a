"""A local Jira site over real HTTP, for the demo, for tests, and for people who want to try things.

It is as strict as Jira where clients go wrong, its data can be changed while it runs, and it can be made to fail.
"""

from __future__ import annotations

from .api import RecordedRequest
from .faults import Fault, FaultKind, Faults
from .generator import generate_site
from .model import Flavour, SiteData
from .ndjson import load_ndjson
from .sandbox import Sandbox
from .serve import serve
from .spoiling import BLEMISHES, Blemish

__all__ = [
    "BLEMISHES",
    "Blemish",
    "Fault",
    "FaultKind",
    "Faults",
    "Flavour",
    "RecordedRequest",
    "Sandbox",
    "SiteData",
    "generate_site",
    "load_ndjson",
    "serve",
]

"""The Jira site, where the lineage of every table begins."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import dagster as dg

from jira_pipeline.assets.metadata import OWNERS

JIRA_SITE = dg.AssetKey("jira_site")


def _address() -> dict[str, dg.UrlMetadataValue]:
    """The site's address as metadata, if it is known and no password is in it."""
    server = os.environ.get("JIRA_SERVER", "")
    return {"server": dg.MetadataValue.url(server)} if server and "@" not in urlsplit(server).netloc else {}


jira_site = dg.AssetSpec(
    JIRA_SITE,
    description="The Jira site that everything comes from, Cloud or Data Center. The pipeline only reads it.",
    group_name="jira",
    kinds={"jira"},
    owners=OWNERS,
    metadata=_address(),
)

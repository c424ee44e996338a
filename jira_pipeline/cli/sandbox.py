"""`jira-pipeline sandbox`: a local Jira site to try things on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import click

from jira_pipeline.errors import SettingsError
from jira_pipeline.sandbox import SiteData, generate_site, load_ndjson, serve

Flavour = Literal["cloud", "datacenter"]


def recent_site(*, seed: int, issues: int, projects: int) -> SiteData:
    """A generated site whose last year and a half of work ends yesterday."""
    end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return generate_site(seed=seed, issues=issues, projects=projects, start=end - timedelta(days=540), end=end)


@click.command(
    epilog="Examples: jira-pipeline sandbox · jira-pipeline sandbox --flavour datacenter --issues 5000 · "
    "jira-pipeline sandbox --data issues.ndjson.gz"
)
@click.option(
    "--data",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Issues to serve, one REST issue object a line, .ndjson or .ndjson.gz; may be repeated.",
)
@click.option("--port", default=8080, show_default=True, help="Port to serve on, 0 for any.")
@click.option("--flavour", type=click.Choice(["cloud", "datacenter"]), default="cloud", show_default=True)
@click.option("--issues", default=500, show_default=True, help="How many issues to generate.")
@click.option("--projects", default=4, show_default=True, help="In how many projects.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same site.")
@click.option("--latency", default=0.0, show_default=True, metavar="SECONDS", help="Delay of every answer.")
def sandbox(
    data: tuple[Path, ...], port: int, flavour: Flavour, issues: int, projects: int, seed: int, latency: float
) -> None:
    """Serve a local Jira site, Cloud or Data Center, over HTTP until Ctrl-C.

    It prints the environment variables with which a client, such as `jira-pipeline sync`, reaches it.
    """
    for file in data:
        if not file.is_file():
            raise SettingsError(f"{file} does not exist: name a file with one issue object a line.")
    site = load_ndjson(list(data)) if data else recent_site(seed=seed, issues=issues, projects=projects)
    serve(site, flavour=flavour, port=port, latency_seconds=latency)

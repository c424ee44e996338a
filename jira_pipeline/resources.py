"""The three resources: the Jira site, the tracked-project configuration, and the DuckDB warehouse.

All values come from environment variables (`EnvVar`), so that the UI shows the names of secrets and never the secrets.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource
from pydantic import Field

from jira_pipeline.jira.auth import credentials_from
from jira_pipeline.jira.client import connect
from jira_pipeline.jira.site import JiraSite
from jira_pipeline.settings import PipelineConfig, load_config
from jira_pipeline.settings.environment import DATABASE_VARIABLE
from jira_pipeline.warehouse.database import Warehouse

_CREDENTIAL_VARIABLES = {
    "server": "JIRA_SERVER",
    "email": "JIRA_EMAIL",
    "api_token": "JIRA_API_TOKEN",
    "personal_access_token": "JIRA_PERSONAL_ACCESS_TOKEN",
    "oauth_client_id": "JIRA_OAUTH_CLIENT_ID",
    "oauth_client_secret": "JIRA_OAUTH_CLIENT_SECRET",
    "oauth_refresh_token": "JIRA_OAUTH_REFRESH_TOKEN",
    "oauth_token_file": "JIRA_OAUTH_TOKEN_FILE",
    "oauth_token_url": "JIRA_OAUTH_TOKEN_URL",
}


class JiraResource(dg.ConfigurableResource[JiraSite]):
    """Where Jira is and how to sign in; which of the credentials are needed depends on the site."""

    server: str = ""
    email: str = ""
    api_token: str = Field(default="", repr=False)
    personal_access_token: str = Field(default="", repr=False)
    oauth_client_id: str = ""
    oauth_client_secret: str = Field(default="", repr=False)
    oauth_refresh_token: str = Field(default="", repr=False)
    oauth_token_file: str = Field(default="", description="Default: jira_oauth.json beside the database.")
    oauth_token_url: str = ""

    def connect(self) -> JiraSite:
        """Sign in. Raises `SettingsError`, `CredentialsRejected` or `NotJira` with one sentence that says what to
        do."""
        given = {variable: getattr(self, field) for field, variable in _CREDENTIAL_VARIABLES.items()}
        given[DATABASE_VARIABLE] = os.environ.get(DATABASE_VARIABLE, "")
        return connect(credentials_from(given))


class TrackedProjectsResource(dg.ConfigurableResource[PipelineConfig]):
    """`jira_pipeline.yaml`, read at run time: tracking another project needs no redeploy."""

    config_path: str

    def load(self) -> PipelineConfig:
        """The configuration as it is now. Raises `SettingsError` naming file, line and key."""
        return load_config(Path(self.config_path))


@lru_cache(maxsize=1)
def _warehouse_at(path: str) -> Warehouse:
    # One for all steps of a run, which then start one DuckDB engine and not one each.
    return Warehouse(Path(path))


class WarehouseResource(DuckDBResource):
    """The DuckDB warehouse behind `database`, the file that people query.

    `get_connection` differs from the stock resource's: it opens the working file, in one transaction, under a lock that
    holds across processes, and closes it whatever happens (the stock one leaves it open after an exception).
    """

    @property
    def warehouse(self) -> Warehouse:
        """The warehouse at this path."""
        return _warehouse_at(self.database)

    @contextmanager
    def get_connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection to the working file inside a transaction."""
        with self.warehouse.transaction() as connection:
            yield connection


def jira_resource() -> JiraResource:
    """The `jira` resource from those of its variables that are set; what is missing is said at the first connection."""
    return JiraResource(
        **{field: dg.EnvVar(name) for field, name in _CREDENTIAL_VARIABLES.items() if os.environ.get(name)}
    )

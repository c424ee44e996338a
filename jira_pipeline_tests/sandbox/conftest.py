"""A plain HTTP client of a sandbox, as little clever as possible: what it gets is what the sandbox sent."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from jira_pipeline.sandbox import Sandbox, SiteData, generate_site


class Client:
    """Requests to one sandbox with its credentials."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.session = requests.Session()
        self.sign_in()

    def sign_in(self, token: str | None = None) -> None:
        """Use the sandbox's credentials, or a wrong token in their place."""
        variables = self.sandbox.credentials
        self.base = variables["JIRA_SERVER"]
        if "JIRA_API_TOKEN" in variables:
            self.session.auth = (variables["JIRA_EMAIL"], token or variables["JIRA_API_TOKEN"])
        elif "JIRA_PERSONAL_ACCESS_TOKEN" in variables:
            self.session.headers["Authorization"] = f"Bearer {token or variables['JIRA_PERSONAL_ACCESS_TOKEN']}"

    def get(self, path: str, **params: Any) -> requests.Response:
        """GET below the site's address."""
        return self.session.get(self.base + path, params=params, timeout=10)

    def post(self, path: str, **body: Any) -> requests.Response:
        """POST JSON below the site's address."""
        return self.session.post(self.base + path, json=body, timeout=10)

    def search(self, jql: str, **params: Any) -> requests.Response:
        """One page of Cloud's search."""
        return self.get("/rest/api/3/search/jql", jql=jql, **params)

    def walk(self, jql: str, **params: Any) -> list[list[dict[str, Any]]]:
        """All pages of Cloud's search."""
        pages = []
        while True:
            page = self.search(jql, **params).json()
            pages.append(page["issues"])
            if "nextPageToken" not in page:
                return pages
            params["nextPageToken"] = page["nextPageToken"]

    def ids(self, jql: str) -> list[int]:
        """The ids that a query finds, on either flavour, in order."""
        if self.sandbox.flavour == "cloud":
            pages = self.walk(jql, maxResults=5000)
            return [int(issue["id"]) for page in pages for issue in page]
        page = self.get("/rest/api/2/search", jql=jql, maxResults=1000, fields="id").json()
        assert page["total"] == len(page["issues"]), page
        return [int(issue["id"]) for issue in page["issues"]]


@pytest.fixture(scope="session")
def site() -> SiteData:
    """A generated site. Sandboxes never change it, so every test may start one from it."""
    return generate_site(seed=7, issues=260, projects=4, max_histories=120)


@pytest.fixture
def serve(site: SiteData) -> Iterator[Callable[..., Client]]:
    """Start sandboxes that stop with the test: `serve(flavour, site=..., **options)` returns a client of one."""
    with ExitStack() as stack:

        def start(flavour: Any = "cloud", site: SiteData = site, **options: Any) -> Client:
            sandbox = stack.enter_context(Sandbox(site, flavour, **options))
            client = Client(sandbox)
            stack.callback(client.session.close)
            return client

        yield start


@pytest.fixture
def cloud(serve: Callable[..., Client]) -> Client:
    """A client of a Cloud sandbox."""
    return serve("cloud")


@pytest.fixture
def datacenter(serve: Callable[..., Client]) -> Client:
    """A client of a Data Center sandbox."""
    return serve("datacenter")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared data beside the repository; tests that need it skip where it is absent."""
    beside = Path(__file__).resolve().parents[3] / "shared"
    folder = Path(os.environ.get("JIRA_PIPELINE_SHARED", beside))
    if not (folder / "data").is_dir():
        pytest.skip(f"no shared data: {folder / 'data'} is absent (JIRA_PIPELINE_SHARED may name another folder)")
    return folder

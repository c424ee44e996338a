"""A site with three projects, of which two are tracked and synced, on either flavour."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast, get_args

import pytest

from jira_pipeline.sandbox import Flavour, Sandbox, SiteData, generate_site
from jira_pipeline_tests.empty_warehouse import empty_warehouse
from jira_pipeline_tests.warehouse.census.reconciling import Pipeline

TRACKED = ("APP", "OPS")


@pytest.fixture(scope="session")
def site() -> SiteData:
    """The projects APP, OPS and ORDER. Sandboxes never change it."""
    return generate_site(seed=5, issues=150, projects=3, max_histories=8)


@pytest.fixture(params=["cloud", "datacenter"])
def sandbox(request: pytest.FixtureRequest, site: SiteData) -> Iterator[Sandbox]:
    """The site, served."""
    with Sandbox(site, cast(Flavour, request.param)) as running:
        yield running


@pytest.fixture(scope="session")
def synced_databases(site: SiteData, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """By flavour: the working file after APP and OPS have been synced. Made once, because every test begins there."""
    found = {}
    for flavour in get_args(Flavour):
        directory = tmp_path_factory.mktemp(flavour)
        with Sandbox(site, flavour) as running:
            empty_warehouse(directory)
            pipeline = Pipeline(running, directory, TRACKED)
            pipeline.sync()
            assert pipeline.stored() == pipeline.shown(*TRACKED)
        found[flavour] = pipeline.warehouse.working
    return found


@pytest.fixture
def unsynced(sandbox: Sandbox, tmp_path: Path) -> Pipeline:
    """APP and OPS are tracked, and nothing is stored yet."""
    empty_warehouse(tmp_path)
    return Pipeline(sandbox, tmp_path, TRACKED)


@pytest.fixture
def pipeline(sandbox: Sandbox, tmp_path: Path, synced_databases: Mapping[str, Path]) -> Pipeline:
    """APP and OPS are tracked and synced."""
    pipeline = Pipeline(sandbox, tmp_path, TRACKED)
    shutil.copy(synced_databases[sandbox.flavour], pipeline.warehouse.working)
    return pipeline

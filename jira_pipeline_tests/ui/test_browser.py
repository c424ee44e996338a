"""The Dagster UI in a browser: an asset is materialized by clicking, and what README and docs show is photographed."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .conftest import REPOSITORY, Deployment, day

if TYPE_CHECKING:
    from playwright.sync_api import Page

# Debian's package; a browser of another distribution or maker would do as well.
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.xdist_group("dagster_dev"),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here (Debian: apt-get install chromium)"),
    pytest.mark.skipif(importlib.util.find_spec("playwright") is None, reason="playwright is not installed"),
]


@pytest.fixture
def page() -> Iterator[Page]:
    """A page of a browser without a window, which talks to nobody but the UI."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
                *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
            ],
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900}, device_scale_factor=1)
        page.set_default_timeout(60_000)
        yield page
        browser.close()


@pytest.fixture
def screenshots(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where screenshots go: to the documentation if asked for, else away."""
    return REPOSITORY / "docs" / "images" if request.config.getoption("--save-screenshots", default=False) else tmp_path


def test_an_asset_is_materialized_by_a_click_and_its_run_turns_green(deployment: Deployment, page: Page) -> None:
    page.goto(f"{deployment.server.url}/assets/projects")
    page.get_by_role("button", name="Materialize").first.click()
    page.get_by_text("Launched run").wait_for()
    page.get_by_text("View", exact=True).last.click()
    page.wait_for_url("**/runs/*")
    page.get_by_text("Success", exact=True).first.wait_for()

    run_id = page.url.rsplit("/", 1)[-1].partition("?")[0]
    assert deployment.server.finished(run_id) == "SUCCESS"
    data = deployment.server.ask(
        "query ($id: ID!) { runOrError(runId: $id) { ... on Run { assetMaterializations { assetKey { path } } } } }",
        id=run_id,
    )
    assert data["runOrError"]["assetMaterializations"] == [{"assetKey": {"path": ["projects"]}}]


def test_the_pages_that_the_documentation_shows_are_there(
    deployment: Deployment, page: Page, screenshots: Path, request: pytest.FixtureRequest
) -> None:
    if request.config.getoption("--save-screenshots", default=False):
        days = {"dagster/asset_partition_range_start": f"{day(9)}", "dagster/asset_partition_range_end": f"{day(0)}"}
        assert deployment.server.finished(deployment.server.launch("daily_sync", days)) == "SUCCESS"
    upstream = "view=lineage&lineageScope=upstream&lineageDepth=5"
    shown = {
        "asset_graph.png": (f"assets/cycle_time_metrics?{upstream}", "status_intervals"),
        "asset.png": ("assets/raw_issues", "history_complete"),
    }

    for name, (address, text) in shown.items():
        page.goto(f"{deployment.server.url}/{address}")
        page.get_by_text(text, exact=True).first.wait_for()
        page.wait_for_timeout(3000)  # charts and colours come in after the text
        page.screenshot(path=screenshots / name)
        assert (screenshots / name).stat().st_size > 20_000, "an empty page"

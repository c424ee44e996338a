"""The sandbox: a site, served over HTTP, with everything that tests and people may do to it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

import msgspec

from . import changes
from .api import Api, RecordedRequest
from .control import Control
from .credentials import Authentication, OAuthCredentials, sandbox_credentials
from .faults import Faults
from .http_server import HttpServer, Request, Response
from .index import Row
from .model import Flavour, JsonObject, SiteData, User
from .render import ALL_FIELDS, whole_issue
from .site import ACCOUNT, Site
from .spoiling import Blemish
from .times import to_milliseconds
from .values import UnknownValue, find_user


def wall_clock() -> datetime:
    """The real time, in UTC."""
    return datetime.now(UTC)


class Sandbox:
    """A local Jira site over real HTTP, running between `start` and `stop` or inside a `with` block.

    `flavour` defaults to the one whose form the site's issues have. `account_time_zone` is the zone in which the
    account reads quoted JQL dates and sees timestamps. `latency_seconds` passes before each answer. `context_path`
    (Data Center, such as "/jira") is where the site lives below its host. `authentication` (Cloud) is a classic API
    token on the site's address, or a scoped one or OAuth 2.0, both through the gateway address only. `compress` sends
    gzip to clients that accept it. The site's clock is the real time unless `now` or `clock` is set.
    """

    def __init__(
        self,
        site: SiteData,
        flavour: Flavour | None = None,
        *,
        port: int = 0,
        account_time_zone: str = "UTC",
        latency_seconds: float = 0.0,
        context_path: str = "",
        authentication: Authentication = "token",
        compress: bool = False,
    ) -> None:
        self.flavour: Flavour = flavour or site.flavour
        self.latency_seconds = latency_seconds
        self.clock: Callable[[], datetime] = wall_clock
        self.faults = Faults()
        self._site = Site(site, self.flavour, account_time_zone, lambda: self.clock().astimezone(UTC))
        self._credentials = sandbox_credentials(
            self.flavour, str(ACCOUNT.email), authentication, self._site.clock_milliseconds
        )
        self._api = Api(self._site, self.faults, self._credentials, context_path)
        self._api.control = Control(self)
        self._server = HttpServer(self._answer, "127.0.0.1", port, compress)
        self.url = f"http://127.0.0.1:{self._server.port}{context_path}"
        self._api.base_url = self.url

    # --- running --------------------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Serve, until `stop`."""
        self._server.start()
        return self

    def stop(self) -> None:
        """Close the port and every connection."""
        self._server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def prepare(self) -> None:
        """Write every issue's JSON now, so that a measurement does not include it."""
        self._site.documents.prepare()

    def _answer(self, request: Request) -> Response:
        if self.latency_seconds and "/sandbox/" not in request.path:
            time.sleep(self.latency_seconds)
        return self._api.answer(request)

    # --- what clients need, and what they did ---------------------------------------------------------------------

    @property
    def credentials(self) -> dict[str, str]:
        """The environment variables that a client needs."""
        return self._credentials.environment(self.url)

    @property
    def cloud_id(self) -> str:
        """The cloud id, part of the gateway address `/ex/jira/<cloudId>`."""
        return self._credentials.cloud_id

    @property
    def requests(self) -> list[RecordedRequest]:
        """Every request so far, in the order in which they were answered."""
        return self._api.requests

    def clear_requests(self) -> None:
        """Forget the recorded requests."""
        self._api.requests.clear()

    # --- the clock ------------------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """The site's time. Setting it stops the clock there; `advance` moves a stopped clock on."""
        return self.clock().astimezone(UTC)

    @now.setter
    def now(self, instant: datetime) -> None:
        self.clock = lambda: instant

    def advance(self, step: timedelta) -> None:
        """Stop the clock at `step` later than now."""
        self.now = self.now + step

    # --- the truth ------------------------------------------------------------------------------------------------

    def issues(self) -> list[JsonObject]:
        """Every issue that searches may find, with all fields and its whole changelog, oldest first, by id."""
        with self._site.lock:
            return [self._issue(row.id) for row in self._searchable()]

    def issue_keys(self) -> dict[int, str]:
        """The keys of the same issues by id, in a fraction of the time: no issue is written for it."""
        with self._site.lock:
            return {row.id: self._site.key_of(row) for row in self._searchable()}

    def issue(self, key: str) -> JsonObject:
        """One issue as `issues` shows it, by id, key or former key."""
        with self._site.lock:
            return self._issue(changes.existing(self._site, key).id)

    def _searchable(self) -> list[Row]:
        visible = self._site.searchable_ids()
        return sorted((row for row in self._site.rows.values() if row.project_id in visible), key=lambda row: row.id)

    def _issue(self, issue_id: int) -> JsonObject:
        row = self._site.rows[issue_id]
        issue: JsonObject = msgspec.json.decode(whole_issue(self._site, row, ALL_FIELDS, "none", 2))
        histories = self._site.documents.decoded_histories(self._site.document(row))
        issue["changelog"] = {"total": len(histories), "histories": histories}
        return issue

    # --- changing issues ------------------------------------------------------------------------------------------

    def create_issue(
        self, project: str, *, at: datetime | None = None, author: str | None = None, **fields: Any
    ) -> str:
        """Create an issue and return its key. Fields as in `update_issue`."""
        row = changes.create_issue(self._site, project, self._instant(at), self._person(author), fields)
        return self._site.key_of(row)

    def update_issue(self, key: str, *, at: datetime | None = None, author: str | None = None, **fields: Any) -> None:
        """Set fields of an issue as one history, by default at the site's time.

        Names: status, assignee, reporter, summary, description, priority, resolution, issue_type, labels, components,
        fix_versions, affects_versions, due_date, story_points, sprint, flagged, parent, or a customfield id. Statuses,
        people and sprints go by id or name; None clears. Raises ValueError for a name that the site does not have.
        """
        changes.update_issue(self._site, key, self._instant(at), self._person(author), fields)

    def delete_issue(self, key: str) -> None:
        """Delete an issue for good."""
        changes.delete_issue(self._site, key)

    def move_issue(self, key: str, project: str, *, at: datetime | None = None, author: str | None = None) -> str:
        """Move an issue to another project and return its new key. Its id stays, and the old key leads to it."""
        row = changes.move_issue(self._site, key, project, self._instant(at), self._person(author))
        return self._site.key_of(row)

    # --- changing projects and access -----------------------------------------------------------------------------

    def rename_project(self, project: str, *, new_key: str | None = None, new_name: str | None = None) -> None:
        """Give a project another key or name; issues get new keys without a history and without moving `updated`."""
        changes.rename_project(self._site, project, new_key, new_name)

    def rename_user(self, user: str, **values: Any) -> None:
        """Change a user's display_name, email, name or active, found by identity, name or display name."""
        changes.rename_user(self._site, user, values)

    def forbid_project(self, project: str) -> None:
        """Take the account's right to browse a project."""
        self._set_access(project, "forbidden")

    def allow_project(self, project: str) -> None:
        """Give back what `forbid_project`, `archive_project` or `trash_project` took."""
        self._set_access(project, "open")

    def archive_project(self, project: str) -> None:
        """Archive a project: searches skip it."""
        self._set_access(project, "archived")

    def trash_project(self, project: str) -> None:
        """Move a project to the trash: it is gone for everybody."""
        self._set_access(project, "trashed")

    def forbid_user_directory(self, forbidden: bool = True) -> None:
        """Answer 403 to requests for the list of users, or stop doing so."""
        self._api.users_forbidden = forbidden

    def revoke_credentials(self) -> None:
        """Let the credentials expire."""
        self._credentials.accepted = False

    def restore_credentials(self) -> None:
        """Accept the credentials again."""
        self._credentials.accepted = True

    def expire_access_tokens(self) -> None:
        """Let OAuth access tokens expire before their time."""
        if isinstance(self._credentials, OAuthCredentials):
            self._credentials.expire_access_tokens()

    # --- the index ------------------------------------------------------------------------------------------------

    @property
    def index_lag_seconds(self) -> float:
        """How long, by the site's clock, a write takes to be found by searches."""
        return self._site.index_lag_milliseconds / 1000

    @index_lag_seconds.setter
    def index_lag_seconds(self, seconds: float) -> None:
        self._site.index_lag_milliseconds = int(seconds * 1000)

    @property
    def tokens_drift(self) -> bool:
        """Whether page tokens count places instead of naming the last issue (off at first).

        Nobody knows which of the two Cloud's tokens do. With drifting ones, an issue that leaves its place while pages
        are read lets another be skipped, as offsets do on Data Center.
        """
        return self._site.tokens_drift

    @tokens_drift.setter
    def tokens_drift(self, drift: bool) -> None:
        self._site.tokens_drift = drift

    def forget_issue(self, key: str, seconds: float) -> None:
        """Let searches miss an issue for some seconds of the site's clock, though it can be read by id."""
        with self._site.lock:
            self._site.forget(changes.existing(self._site, key).id, seconds)

    # --- issues that cannot be read -------------------------------------------------------------------------------

    def spoil_issue(self, key: str, blemish: Blemish) -> None:
        """Let an issue be unreadable wherever its fields are sent; `heal_issue` ends it. The truth stays as it is."""
        with self._site.lock:
            self._site.blemishes[changes.existing(self._site, key).id] = blemish

    def heal_issue(self, key: str) -> None:
        """Send an issue as it is again."""
        with self._site.lock:
            self._site.blemishes.pop(changes.existing(self._site, key).id, None)

    # --------------------------------------------------------------------------------------------------------------

    def _instant(self, at: datetime | None) -> int:
        return to_milliseconds(at or self.now)

    def _person(self, author: str | None) -> User:
        return self._site.account if author is None else find_user(self._site, author)

    def _set_access(self, project: str, access: Any) -> None:
        with self._site.lock:
            found = self._site.project(project)
            if found is None:
                raise UnknownValue(f"Project '{project}' does not exist.")
            self._site.set_access(found, access)

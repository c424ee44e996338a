"""Who is on the site: the account and the directory, as both flavours list them."""

from __future__ import annotations

from .model import JsonObject, Project, User
from .site import Site


def directory(site: Site) -> list[User]:
    """Everybody, in a lasting order."""
    return list(site.users.values())


def lead_of(site: Site, project: Project) -> User | None:
    """The project's lead, None when nobody is."""
    return next((user for user in site.users.values() if user.account_id == project.lead), None)


def myself(site: Site) -> JsonObject:
    """`GET /myself`: the account, with the time zone in which it writes and reads dates."""
    return {**site.account.as_json(site.flavour), "locale": "en_US"}

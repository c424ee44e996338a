"""Who is on the site: the account and the directory, as both flavours list them."""

from __future__ import annotations

from .model import JsonObject, User
from .site import Site


def directory(site: Site) -> list[User]:
    """Everybody, in a lasting order."""
    return list(site.users.values())


def myself(site: Site) -> JsonObject:
    """`GET /myself`: the account, with the time zone in which it writes and reads dates."""
    return {**site.account.as_json(site.flavour), "locale": "en_US"}

"""The token endpoint of OAuth 2.0 (3LO), which on the real thing is auth.atlassian.com."""

from __future__ import annotations

from urllib.parse import parse_qsl

from .answers import json_answer
from .credentials import OAuthCredentials
from .http_server import Request, Response
from .model import JsonObject


def answer_token_request(credentials: OAuthCredentials, request: Request) -> Response:
    """POST /oauth/token with JSON or a form: a new pair, or 403 `invalid_grant`."""
    pair = credentials.refresh(_asked(request))
    if pair is None:
        refused = {"error": "invalid_grant", "error_description": "Unknown or invalid refresh token."}
        return json_answer(refused, 403)
    return json_answer(pair)


def _asked(request: Request) -> JsonObject:
    try:
        body = request.json()
    except ValueError:
        body = dict(parse_qsl(request.body.decode(errors="replace")))
    return body if isinstance(body, dict) else {}

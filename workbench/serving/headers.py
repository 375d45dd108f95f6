"""What each answer says to the browser: only this server's own scripts, styles and connections, no foreign frame.

No script runs that does not come from a file of this server or carry the nonce of its page (CSP 3), and none makes code
from text (`eval`). Styles may stand in the page: plotly, Lumino and the figures of CodeMirror write them as attributes.
"""

import secrets

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import OutputTransform

NONCE = "Workbench-Nonce"  # a header by which a handler names the nonce of its scripts; it does not leave the server
_POLICY = {
    "default-src": "'none'",
    "script-src": "'self' blob:",  # anywidget imports the modules of widgets from blobs
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self'",
    "worker-src": "'self' blob:",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'self'",
}
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",  # links carry the state of the app
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
}


def policy(nonce: str | None = None) -> str:
    """The content security policy of an answer; scripts that stand in its page need the `nonce`."""
    script = {} if nonce is None else {"script-src": f"{_POLICY['script-src']} 'nonce-{nonce}'"}
    return "; ".join(f"{what} {whence}" for what, whence in (_POLICY | script).items())


def new_nonce() -> str:
    """A number that nobody guesses, for one answer."""
    return secrets.token_urlsafe(16)


def marked(html: str, nonce: str) -> str:
    """The same part of a page of this server, its scripts marked with the nonce.

    Only for what templates write: text of a visitor stands in them with `<` as an escape.
    """
    return html.replace("<script", f'<script nonce="{nonce}"')


class Headers(OutputTransform):
    """Puts the policy and `HEADERS` on every answer, whichever handler gives it; behind TLS also the wish to come back
    that way."""

    def __init__(self, request: HTTPServerRequest) -> None:
        self._secure = request.protocol == "https"

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        headers["Content-Security-Policy"] = policy(headers.pop(NONCE, None))
        for name, value in HEADERS.items():
            headers[name] = value
        if self._secure:
            headers["Strict-Transport-Security"] = "max-age=63072000"
        headers.pop("Server", None)
        return status_code, headers, chunk

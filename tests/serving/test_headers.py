"""Headers of every answer, put on an answer by hand."""

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from workbench.serving.headers import HEADERS, POLICY, Headers


def answered(protocol):
    request = HTTPServerRequest(
        start_line=RequestStartLine("GET", "/", "HTTP/1.1"), headers=HTTPHeaders(Host="127.0.0.1")
    )
    request.protocol = protocol
    given = HTTPHeaders({"Server": "TornadoServer/6", "X-Frame-Options": "ALLOWALL", "Content-Type": "text/html"})
    status, headers, chunk = Headers(request).transform_first_chunk(200, given, b"page", finishing=True)
    assert (status, chunk) == (200, b"page")
    return headers


@pytest.mark.parametrize("protocol", ["http", "https"])
def test_every_answer_has_them_and_none_says_which_server_it_is(protocol):
    headers = answered(protocol)
    assert HEADERS.items() <= dict(headers).items()
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert headers["Content-Type"] == "text/html"
    assert "Server" not in headers
    assert ("Strict-Transport-Security" in headers) == (protocol == "https")


def test_the_policy_names_no_other_place_than_this_server():
    directives = dict(part.split(" ", 1) for part in POLICY.split("; "))
    assert directives["default-src"] == "'none'"
    assert directives["frame-ancestors"] == directives["connect-src"] == "'self'"
    words = {word for value in directives.values() for word in value.split()}
    assert words <= {"'self'", "'none'", "'unsafe-inline'", "'unsafe-eval'", "blob:", "data:"}

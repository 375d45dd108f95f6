"""Headers of every answer, put on an answer by hand."""

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from workbench.serving.headers import HEADERS, NONCE, Headers, marked, new_nonce, policy

POLICY = "Content-Security-Policy"


def answered(protocol, **more):
    request = HTTPServerRequest(
        start_line=RequestStartLine("GET", "/", "HTTP/1.1"), headers=HTTPHeaders(Host="127.0.0.1")
    )
    request.protocol = protocol
    given = HTTPHeaders({"Server": "TornadoServer/6", "X-Frame-Options": "ALLOWALL", "Content-Type": "text/html"})
    given.update(more)
    status, headers, chunk = Headers(request).transform_first_chunk(200, given, b"page", finishing=True)
    assert (status, chunk) == (200, b"page")
    return headers


def directives(text):
    return dict(part.split(" ", 1) for part in text.split("; "))


@pytest.mark.parametrize("protocol", ["http", "https"])
def test_every_answer_has_them_and_none_says_which_server_it_is(protocol):
    headers = answered(protocol)
    assert HEADERS.items() <= dict(headers).items()
    assert headers[POLICY] == policy()
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert headers["Content-Type"] == "text/html"
    assert "Server" not in headers
    assert ("Strict-Transport-Security" in headers) == (protocol == "https")


def test_the_policy_names_no_other_place_than_this_server():
    found = directives(policy())
    assert found["default-src"] == "'none'"
    assert found["frame-ancestors"] == found["connect-src"] == "'self'"
    words = {word for value in found.values() for word in value.split()}
    assert words <= {"'self'", "'none'", "'unsafe-inline'", "blob:", "data:"}


def test_no_script_may_stand_in_a_page_but_those_with_its_nonce():
    assert directives(policy())["script-src"] == "'self' blob:"
    headers = answered("http", **{NONCE: "abc"})
    assert NONCE not in headers
    assert directives(headers[POLICY])["script-src"] == "'self' blob: 'nonce-abc'"
    assert marked("<p><script>1</script><script src='x'>", "abc") == (
        '<p><script nonce="abc">1</script><script nonce="abc" src=\'x\'>'
    )
    assert len({new_nonce() for _ in range(100)}) == 100
    assert len(new_nonce()) >= 22

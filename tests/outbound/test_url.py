"""One grammar for URLs: what it finds, and what it will not read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import UnusableUrl
from chalicelib.outbound.url import MAX_URL_LENGTH, Target


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://example.com", Target("http", "example.com", 80, "/")),
        ("HTTPS://EXAMPLE.com:/a", Target("https", "example.com", 443, "/a")),
        ("https://example.com.:8443?q=1#part", Target("https", "example.com", 8443, "/?q=1")),
        (
            "http://my_bucket.s3.example/a%20b/é?x=ü",
            Target("http", "my_bucket.s3.example", 80, "/a%20b/%C3%A9?x=%C3%BC"),
        ),
        ("http://[2606:4700::1111]/", Target("http", "2606:4700::1111", 80, "/")),
        ("http://[2606:4700:0:0::1111]:81/", Target("http", "2606:4700::1111", 81, "/")),
        ("http://8.8.8.8/@x:y", Target("http", "8.8.8.8", 80, "/@x:y")),
        ("http://bücher.example/", Target("http", "xn--bcher-kva.example", 80, "/")),
        ("http://faß.example/", Target("http", "xn--fa-hia.example", 80, "/")),
        ("http://ｅxample。com/", Target("http", "example.com", 80, "/")),
        ("http://１２７.０.０.１/", Target("http", "127.0.0.1", 80, "/")),
    ],
)
def test_a_url_is_read_into_what_is_dialled_and_asked_for(url: str, target: Target) -> None:
    assert Target.of(url) == target


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "//example.com",
        "ftp://example.com",
        "file:///etc/passwd",
        "gopher://example.com:70/_",
        "javascript:alert(1)",
        "http:example.com",
        "http:/example.com",
        "http:///example.com",
        "http://",
        "http://:80/",
        "http://.",
        "http://a..b/",
        "http://-a.example/",
        "http://user@example.com",
        "http://user:pass@example.com",
        "http://@example.com",
        "http://example.com:80@10.0.0.1/",
        "http://example.com\\@10.0.0.1/",
        "http://example.com/a\\b",
        "http://example.com/a b",
        "http://example.com/a\tb",
        "http://example.com/\r\nX: y",
        "http://example.com/\x00",
        "http://example.com/\x85",
        "http://example.com/\u2028",
        "http://example.com/\ufeff",
        "http://example.com/\ud800",
        " http://example.com",
        "http://example.com\n",
        "http://exa%6dple.com/",
        "http://example.com:99999/",
        "http://example.com:0/",
        "http://example.com:-1/",
        "http://example.com:８０/",
        "http://example.com:80:80/",
        "http://[::1",
        "http://::1/",
        "http://[::1]x/",
        "http://[fe80::1%25eth0]/",
        "http://[v1.x]/",
        "http://[127.0.0.1]x/",
        "http://127.1/",
        "http://0177.0.0.1/",
        "http://0x7f.0.0.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://1.2.3.4.5/",
        "http://256.0.0.1/",
        "http://example.0x1/",
        "http://example.com⁄.evil.example/",
        "http://exa℀mple.com/",
        "http://exam;ple.com/",
        "http://" + "a" * 64 + ".example/",
        "http://" + "a." * 127 + "ab/",
        "http://example.com/" + "a" * MAX_URL_LENGTH,
    ],
)
def test_what_is_not_a_plain_url_is_refused(url: str) -> None:
    with pytest.raises(UnusableUrl):
        Target.of(url)


@given(st.text(alphabet=st.characters(), max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    for url in (text, f"http://{text}", f"https://example.com{text}"):
        try:
            target = Target.of(url)
        except UnusableUrl:
            continue
        assert f"{target.origin}{target.path}".isascii()
        assert Target.of(target.origin + target.path) == target


@given(st.text(max_size=40))
def test_any_redirect_is_read_or_refused(location: str) -> None:
    as_received = location.encode("utf-8", "replace").decode("latin-1")
    try:
        target = Target.of("http://example.com/a").redirected(as_received)
    except UnusableUrl:
        return
    assert Target.of(target.origin + target.path) == target


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("/b", "/b"),
        ("b?c", "/a/b?c"),
        ("//example.com:80/d", "/d"),
        ("../é".encode().decode("latin-1"), "/%C3%A9"),
    ],
)
def test_a_redirect_may_be_relative(location: str, path: str) -> None:
    assert Target.of("http://example.com/a/x").redirected(location) == Target("http", "example.com", 80, path)


def test_a_redirect_never_leads_from_https_to_http() -> None:
    with pytest.raises(UnusableUrl):
        Target.of("https://example.com/").redirected("http://example.com/")


def test_a_redirect_may_lead_from_http_to_https() -> None:
    assert Target.of("http://example.com/").redirected("https://example.com/").scheme == "https"


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("http://example.com:80/", "example.com"),
        ("https://example.com:80/", "example.com:80"),
        ("http://[2606:4700::1111]:81/", "[2606:4700::1111]:81"),
    ],
)
def test_the_host_header_names_the_port_where_it_is_not_the_usual_one(url: str, authority: str) -> None:
    assert Target.of(url).authority == authority

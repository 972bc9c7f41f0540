"""The web page as a static site: whole, and closed to all but its own API and bucket."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pytest
from cfnlint import ManualArgs
from cfnlint.api import lint_file
from cfnlint.decode.cfn_yaml import loads

from chalicelib.api import pages
from infra import static_page
from infra.project import stage
from local.config import ROOT

API, BUCKET = "https://api.example", "https://photos.s3.eu-west-1.amazonaws.com"
TEMPLATE = ROOT / "infra" / "page.yaml"
ASKED = ["--api", f"{API}/prod/", "--bucket-origin", BUCKET]
Resources = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    into = tmp_path_factory.mktemp("site")
    assert static_page.main([*ASKED, "--into", str(into)]) == 0
    return into


@pytest.fixture(scope="module")
def resources() -> Resources:
    written = loads(TEMPLATE.read_text())["Resources"]
    return {name: one["Properties"] for name, one in written.items()}


def policy_in(document: Path) -> str:
    found = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', document.read_text())
    assert len(found) == 1
    return html.unescape(found[0])


def hosts_in(policy: str) -> set[str]:
    return {one for one in re.split(r"[; ]+", policy) if "//" in one or "*" in one}


@pytest.mark.parametrize("name", ["index.html", "docs.html"])
def test_no_place_is_left_open_and_every_file_that_is_named_is_there(site: Path, name: str) -> None:
    text = (site / name).read_text()
    assert "{{" not in text
    assert f'<meta name="api" content="{API}/prod/">' in text
    named = [one.partition("?")[0] for one in re.findall(r'(?:src|href)="([^"#]*)["#]', text)]
    own = [one for one in named if not one.startswith(API)]
    assert len(own) > 3
    assert not [one for one in own if not (site / one).exists() or one.startswith("/")]


def test_the_documents_may_talk_to_their_api_and_bucket_and_to_nothing_else(site: Path) -> None:
    assert hosts_in(policy_in(site / "index.html")) == {API, BUCKET}
    assert hosts_in(policy_in(site / "docs.html")) == {API}
    assert policy_in(site / "index.html") == pages.policy(API, BUCKET).replace(" frame-ancestors 'none';", "")


def test_the_distribution_sends_the_policy_that_the_service_sends(resources: Resources) -> None:
    security = resources["Headers"]["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    written = security["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Sub"]
    filled = written.replace("${ApiOrigin}", API).replace("${BucketOrigin}", BUCKET)
    assert filled == pages.policy(API, BUCKET)
    assert {"ContentTypeOptions", "ReferrerPolicy", "StrictTransportSecurity"} <= security.keys()


def test_the_bucket_is_private_and_read_by_the_distribution_alone_and_by_https(resources: Resources) -> None:
    assert all(resources["Files"]["PublicAccessBlockConfiguration"].values())
    assert resources["Files"]["BucketEncryption"]
    deny, allow = resources["FilesPolicy"]["PolicyDocument"]["Statement"]
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert allow["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert "${Page}" in allow["Condition"]["StringEquals"]["aws:SourceArn"]["Fn::Sub"]
    distribution = resources["Page"]["DistributionConfig"]
    assert distribution["DefaultRootObject"] == "index.html"
    assert distribution["DefaultCacheBehavior"]["ViewerProtocolPolicy"] == "redirect-to-https"


def test_cfn_lint_finds_nothing_in_the_template() -> None:
    assert lint_file(TEMPLATE, ManualArgs(regions=["us-east-1", "eu-west-1"])) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"--api": "api.example"},
        {"--api": 'https://api.example/"><script>'},
        {"--bucket-origin": "https://photos.example; script-src *"},
        {"--bucket-origin": "https://photos.example/folder"},
        {"--stage": "nowhere"},
    ],
)
def test_an_address_that_is_none_is_refused_in_a_sentence_and_nothing_is_written(
    wrong: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [part for pair in wrong.items() for part in pair]
    assert static_page.main([*ASKED, *asked, "--into", str(tmp_path / "site")]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "site").exists()


def test_the_page_turns_down_what_the_stage_would(site: Path) -> None:
    most = static_page.number("max_image_bytes", stage("dev", "s3"))
    assert most > 1_000_000
    assert f'name="max-bytes" content="{most}"' in (site / "index.html").read_text()

"""What docs/xml.md says of JavaScript: the method it names takes XML, and refuses forgeries."""

from __future__ import annotations

import json
import re
import time

import pytest

from chalicelib.delivery import signatures
from chalicelib.delivery.xml_document import to_xml
from local.config import ROOT
from tests.clients.conftest import Workshop
from tests.delivery.test_xml_docs import SAMPLE

[METHOD] = re.findall(r"^\| JavaScript, .* \| `(.*)` \|$", (ROOT / "docs" / "xml.md").read_text(), re.M)


def verified(workshop: Workshop, secret: str, known: str) -> str:
    body = to_xml(SAMPLE)
    headers = json.dumps(signatures.sign([secret], "msg_1", int(time.time()), body))
    lines = (
        'const { Webhook } = require("standardwebhooks");',
        f"const secret = {json.dumps(known)}, headers = {headers}, body = {json.dumps(body.decode())};",
        f'{METHOD}; console.log("genuine");',
    )
    return workshop.run("node", "-e", "\n".join(lines))


def test_the_method_in_javascript_takes_xml_and_refuses_forgeries(workshop: Workshop) -> None:
    secret = signatures.secret_of(bytes(32))
    assert verified(workshop, secret, secret) == "genuine\n"
    with pytest.raises(AssertionError, match="No matching signature"):
        verified(workshop, signatures.secret_of(b"o" * 32), secret)

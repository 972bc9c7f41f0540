"""Functions in a process of their own: a real one, that loads the app, fails, hangs and dies."""

from __future__ import annotations

import base64
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import pytest
import requests
from chalice.app import Chalice

from local.config import ROOT, Ports, enter, environment
from local.function import Failed
from local.function_process import FunctionProcess, serve
from local.loopback import listen
from local.wsgi import Channel
from tests.journeys.conftest import eventually
from tests.local.process import children, started

pytestmark = pytest.mark.slow

UPLOAD = {"Records": [{"s3": {"bucket": {"name": "any"}, "object": {"key": "uploads/any.jpg", "size": 1}}}]}


@pytest.fixture
def aws_that_hangs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process's environment, with an AWS that takes connections and never answers."""
    with listen(0) as listener:
        variables = dict(os.environ)
        enter(environment(Ports(aws=listener.getsockname()[1])), variables)
        for name in os.environ.keys() - variables.keys():
            monkeypatch.delenv(name)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        yield


@pytest.fixture
def process(aws_that_hangs: None) -> Iterator[FunctionProcess]:
    with FunctionProcess() as started:
        yield started


def test_what_a_handler_raises_is_told_with_its_class(process: FunctionProcess) -> None:
    with pytest.raises(Failed, match=r"^KeyError: 'Records'$"):
        process.function("on_s3_upload")({})
    with pytest.raises(Failed, match=r"^KeyError: 'nobody'$"):
        process.function("nobody")({})


def test_what_a_handler_returns_comes_back(process: FunctionProcess) -> None:
    assert process.function("on_image_change")({"Records": []}) == {"batchItemFailures": []}


def test_what_functions_send_to_the_stacks_aws_takes_the_short_way(aws_that_hangs: None) -> None:
    asked: list[str] = []

    def refuses(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        asked.append(environ["REQUEST_METHOD"])
        start_response("400 Bad Request", [("Content-Type", "application/json")])
        return [b'{"__type": "AccessDeniedException", "message": "not today"}']

    with (
        Channel(refuses) as channel,
        FunctionProcess(os.environ["AWS_ENDPOINT_URL"], channel.address) as process,
        pytest.raises(Failed, match="not today"),
    ):
        process.function("on_s3_upload")(UPLOAD)
    assert asked


def leaves(event: Any, context: Any) -> None:
    sys.exit("enough")


@pytest.mark.parametrize(
    ("handler", "error"),
    [
        (lambda event, context: object(), ["TypeError", "Object of type object is not JSON serializable"]),
        (leaves, ["SystemExit", "enough"]),
    ],
    ids=["an answer that is no JSON", "an exit"],
)
def test_however_a_handler_ends_there_is_an_answer(handler: Any, error: list[str]) -> None:
    app = Chalice("odd")
    app.handler_map["odd"] = handler
    ours, theirs = Pipe()
    with theirs, ours:
        thread = threading.Thread(target=serve, args=(theirs, app))
        thread.start()
        ours.send_bytes(json.dumps([7, "odd", "{}", ""]).encode())
        assert ours.poll(30)
        assert json.loads(ours.recv_bytes()) == [7, None, error]
        ours.close()
        thread.join(30)
        assert not thread.is_alive()


def test_a_process_that_dies_fails_what_it_was_at_and_has_a_successor(
    process: FunctionProcess, caplog: pytest.LogCaptureFixture
) -> None:
    first = process.pid
    with ThreadPoolExecutor() as pool, caplog.at_level(logging.ERROR, "sightline.local"):
        waiting = pool.submit(process.function("on_s3_upload"), UPLOAD)
        assert process.function("on_image_change")({"Records": []}) == {"batchItemFailures": []}
        assert not waiting.done()  # it asks an AWS that does not answer; the other went on beside it
        os.kill(first, signal.SIGKILL)
        with pytest.raises(Failed, match=r"^Runtime.ExitError: Runtime exited with status -9\.$"):
            waiting.result(30)

    assert process.function("on_image_change")({"Records": []}) == {"batchItemFailures": []}
    assert process.pid != first
    assert "died with status -9" in caplog.text


def test_ctrl_c_in_the_terminal_is_left_to_the_stack(process: FunctionProcess) -> None:
    function = process.function("on_image_change")
    function({"Records": []})
    before = process.pid
    os.kill(before, signal.SIGINT)
    time.sleep(0.2)
    function({"Records": []})
    assert process.pid == before


def test_nothing_runs_after_the_end(aws_that_hangs: None) -> None:
    with FunctionProcess() as process:
        pid = process.pid
    assert not Path(f"/proc/{pid}").exists()
    with pytest.raises(Failed, match="being stopped"):
        process.function("on_image_change")({"Records": []})


def test_a_stack_labels_on_when_its_functions_have_been_killed() -> None:
    with started() as stack:
        (functions,) = children(stack.pid)
        os.kill(functions, signal.SIGKILL)
        photo = (ROOT / "photos" / "chelsea.jpg").read_bytes() + b"another"
        api = f"http://127.0.0.1:{stack.ports[0]}/images"
        image = requests.post(api, json={"content": base64.b64encode(photo).decode()}, timeout=30).json()
        found = requests.get(f"{api}/{image['id']}", params={"wait": 20}, timeout=30).json()
        assert found["status"] == "labelled"
        assert children(stack.pid) != [functions]
        assert stack.end(signal.SIGINT) == 0
        assert "died with status -9" in stack.output


def test_a_stack_that_is_killed_takes_its_functions_along() -> None:
    with started() as stack:
        (functions,) = children(stack.pid)
        stack.end(signal.SIGKILL)
        eventually(lambda: not Path(f"/proc/{functions}").exists())

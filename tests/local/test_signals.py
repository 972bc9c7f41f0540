"""One signal is enough, wherever it strikes."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from local.config import ROOT
from local.signals import Stop


@pytest.fixture
def stop() -> Iterator[Stop]:
    before = signal.getsignal(signal.SIGUSR1)
    yield Stop(signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, before)


def test_a_signal_that_does_not_wake_the_main_thread_ends_the_wait(stop: Stop) -> None:
    """Its like comes just before the wait begins; sent to another thread, it can be made to happen."""
    done, in_vain = threading.Event(), threading.Event()

    def signal_oneself() -> None:
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
        if not done.wait(30):
            in_vain.set()
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    sender = threading.Timer(0.1, signal_oneself)
    sender.start()
    with pytest.raises(KeyboardInterrupt):
        stop.wait()
    done.set()
    sender.join()

    assert not in_vain.is_set()


def test_an_interrupt_that_was_swallowed_ends_the_wait_at_once(stop: Stop) -> None:
    with contextlib.suppress(KeyboardInterrupt):
        signal.raise_signal(signal.SIGUSR1)

    with pytest.raises(KeyboardInterrupt):
        stop.wait()


def test_once_ignored_signals_have_no_effect(stop: Stop) -> None:
    stop.ignore()

    signal.raise_signal(signal.SIGUSR1)


def test_a_signal_that_strikes_a_text_being_executed_is_one_like_any_other() -> None:
    """As it does while modules with data classes are imported."""
    program = """
import signal
from local.signals import Stop
Stop(signal.SIGINT)
try:
    exec("signal.raise_signal(signal.SIGINT)")
except KeyboardInterrupt:
    print("Stopped.")
"""
    ran = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (ran.returncode, ran.stdout) == (0, "Stopped.\n")

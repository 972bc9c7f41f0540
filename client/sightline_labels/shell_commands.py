"""``sightline login``, ``logout``, ``completion`` and ``manual``: what they do happens on this machine."""

from __future__ import annotations

import argparse
import getpass
import os
import sys

from sightline_labels import completion, manual
from sightline_labels.client import Client
from sightline_labels.errors import SightlineError
from sightline_labels.output import Output
from sightline_labels.profiles import Profile, Profiles

Options = argparse.Namespace


def login(client: Client, options: Options, out: Output) -> int:
    asks = client.health().get("auth") != "none"
    token = options.token or os.environ.get("SIGHTLINE_TOKEN", "")
    if asks and not token:
        if not sys.stdin.isatty():
            raise SightlineError(f"{client.url} asks for a token: sightline login {client.url} --token …")
        token = getpass.getpass("Token: ")
    with Client(client.url, token) as known:
        next(known.search(most=1), None)  # tries the token
    Profiles().save(options.name, Profile(client.url, token))
    out.say(f"Logged in to {client.url}. All commands use this service from now on.")
    return 0


def logout(client: Client, options: Options, out: Output) -> int:
    out.say(f"Removed the profile {Profiles().forget(options.profile)!r}.")
    return 0


def write_completion(client: Client, options: Options, out: Output) -> int:
    sys.stdout.write(completion.script(options.shell, options.parser))
    return 0


def write_manual(client: Client, options: Options, out: Output) -> int:
    sys.stdout.write(manual.page(options.parser))
    return 0

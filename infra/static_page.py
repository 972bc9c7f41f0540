"""``make page``: the web page as a static site, for a bucket behind CloudFront (``page.yaml``)."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.api import pages
from chalicelib.settings import Settings
from chalicelib.wiring import Services
from infra import deployment
from infra.account import Account
from infra.exit_status import exit_status
from infra.project import Refused, Stage, stage

LEFT_TO_HEADERS = "frame-ancestors"  # browsers do not heed it in a document (CSP level 3, section 3.3)
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~-]+)*/?")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]+)?")


def write(into: Path, api: str, bucket_origin: str, chosen: Stage) -> None:
    """Write the site that talks to ``api`` and ``bucket_origin``, with the limits of a stage.

    :raises Refused: one of the two is no such address; nothing was written.
    """
    if not _ADDRESS.fullmatch(api):
        raise Refused(
            f"The API's address is like https://abc.execute-api.eu-west-1.amazonaws.com/api, not {api!r}."
        )
    if not _ORIGIN.fullmatch(bucket_origin):
        raise Refused(
            f"The bucket's origin is like https://bucket.s3.eu-west-1.amazonaws.com, not {bucket_origin!r}."
        )
    begins = f"{api.rstrip('/')}/"
    origins = {"index.html": (pages.origin_of(api), bucket_origin), "docs.html": (pages.origin_of(api),)}
    folder = into / "page" / pages.version_of_files()
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in pages.files().items():
        (folder / name).write_text(content, encoding="utf-8")
    for name, allowed in origins.items():
        most, days = number("max_image_bytes", chosen), number("bin_days", chosen)
        context = pages.PageContext(
            "./", begins, "docs.html", most, days, _in_document(pages.policy(*allowed))
        )
        (into / name).write_text(pages.document(name, context), encoding="utf-8")


def number(setting: str, stage: Stage) -> int:
    """A setting of the stage that is a number."""
    default = Settings.__dataclass_fields__[setting].metadata["default"]
    return int(stage.config().environment_variables.get(setting.upper(), default))


def origins(asked: argparse.Namespace, chosen: Stage) -> tuple[str, str]:
    """Where the API begins and where photos do: as it was said, or else as the stage was deployed.

    :raises Refused: nobody said so, and the stage has not been deployed from here.
    """
    if asked.api and asked.bucket_origin:
        return asked.api, asked.bucket_origin
    try:
        address, told = deployment.recorded(chosen, Account.of_shell())
        photos = pages.origin_of(Services(Settings.read(told)).objects.address())
    except (Refused, BotoCoreError, ClientError) as error:
        raise Refused(f"{error} Say API=… and BUCKET_ORIGIN=… then.") from None
    return asked.api or address, asked.bucket_origin or photos


def main(arguments: list[str] | None = None) -> int:
    """Write what is asked for; 1 and a sentence where that cannot be."""
    asked = _parser().parse_args(arguments)
    return exit_status(lambda: _write_as_asked(asked))


def _write_as_asked(asked: argparse.Namespace) -> None:
    for name in ("index.html", "docs.html"):
        (asked.into / name).unlink(missing_ok=True)  # a page of before could be taken for the new one
    chosen = stage(asked.stage, "s3")
    write(asked.into, *origins(asked, chosen), chosen)
    print(f"The page is in {asked.into}; docs/deploy.md says how it comes to CloudFront.")


def _in_document(policy: str) -> str:
    return "; ".join(one for one in policy.split("; ") if not one.startswith(LEFT_TO_HEADERS))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m infra.static_page", description="The web page as a static site."
    )
    parser.add_argument("--api", default="", help="where the API begins, if not where the stage's does")
    parser.add_argument("--bucket-origin", default="", help="where presigned addresses of photos begin")
    parser.add_argument("--stage", default="dev", help="whose page, and whose MAX_IMAGE_BYTES and BIN_DAYS")
    parser.add_argument("--into", type=Path, default=Path("build/page"))
    return parser


if __name__ == "__main__":
    sys.exit(main())

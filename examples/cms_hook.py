"""Give photos their tags and alternative texts: python examples/cms_hook.py content/ [http://127.0.0.1:8000]

A build step for a site generator or a CMS: for each photo in the folder a file `photo.jpg.json` is written
with `tags` and `alt`, which the templates read. What an editor has written there stays. Needs `requests`; a
deployed service also wants a token in SIGHTLINE_TOKEN.
"""

import base64
import json
import os
import sys
from pathlib import Path

import requests

PHOTOS = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif", ".heic"}
SECONDS = 120


def labelled(session: requests.Session, url: str, photo: Path) -> dict:
    """The photo as the service knows it; the same bytes are recognised once, however often it is asked."""
    content = base64.b64encode(photo.read_bytes()).decode()
    wish = {"filename": photo.name, "content": content, "if_known": "skip", "features": ["labels", "caption"]}
    answer = session.post(f"{url}/images", json=wish, timeout=60)
    if not answer.ok:
        raise SystemExit(f"{photo}: {answer.json()['code']}: {answer.json()['detail']}")
    image = answer.json()
    for _ in range(SECONDS // 20):
        if image["status"] in ("labelled", "failed"):
            break
        image = session.get(f"{url}/images/{image['id']}", params={"wait": 20}, timeout=60).json()
    return image


def main(folder: str, url: str = "http://127.0.0.1:8000") -> int:
    session = requests.Session()
    if token := os.environ.get("SIGHTLINE_TOKEN"):
        session.headers["Authorization"] = f"Bearer {token}"
    failed = 0
    for photo in sorted(one for one in Path(folder).rglob("*") if one.suffix.lower() in PHOTOS):
        page = photo.with_name(f"{photo.name}.json")
        known = json.loads(page.read_text()) if page.exists() else {}
        if {"tags", "alt"} <= known.keys():
            continue
        image = labelled(session, url, photo)
        if image["status"] != "labelled":
            failed += 1
            why = (image.get("error") or {}).get("detail", "It was not labelled in time.")
            print(f"{photo}: {why}", file=sys.stderr)
            continue
        caption = image.get("caption") or {}
        told = {"tags": [label["name"] for label in image["labels"]], "alt": caption.get("alt") or ""}
        page.write_text(json.dumps({**told, **known}, ensure_ascii=False, indent=2) + "\n")
        print(f"{photo}: {', '.join(told['tags'])}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

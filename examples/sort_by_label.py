"""Copy photos into a folder for each label: python examples/sort_by_label.py photos/ sorted/ Cat Coffee …

Without labels it takes the five that most photos have. It needs the Python client:
python -m pip install ./client
"""

import shutil
import sys
from collections import Counter
from pathlib import Path

from sightline_labels import Client, SightlineError

URL = "http://127.0.0.1:8000"


def main(source: str, target: str, *wanted: str, url: str = URL) -> int:
    labels: dict[Path, set[str]] = {}
    with Client(url) as client:
        for photo in sorted(one for one in Path(source).rglob("*") if one.is_file()):
            try:
                image = client.wait(client.upload(photo).id)
            except SightlineError as error:
                print(f"{photo}: {error}", file=sys.stderr)
                continue
            labels[photo] = {label["name"] for label in image["labels"]}
    counts = Counter(name for names in labels.values() for name in names)
    for name in wanted or [name for name, _ in counts.most_common(5)]:
        folder = Path(target) / name
        for photo in (one for one, names in labels.items() if name in names):
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy2(photo, folder)
        print(f"{name}: {counts[name]} photos")
    return 0


if __name__ == "__main__":
    url = [one.removeprefix("--url=") for one in sys.argv if one.startswith("--url=")]
    words = [one for one in sys.argv[1:] if not one.startswith("--")]
    sys.exit(main(*words, **({"url": url[0]} if url else {})))

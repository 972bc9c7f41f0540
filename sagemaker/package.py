"""Packs a classifier for the endpoint: ``python -m sagemaker.package --help``.

The archive is what SageMaker unpacks to ``/opt/ml/model``::

    model.onnx   model.json   code/inference.py   code/requirements.txt

``model.json`` tells the handler how to treat the network: ``input`` and ``output`` are the names of its
tensors, ``size`` the side of its square picture in pixels, ``middle`` which part of a photo's shorter side
that square shows, ``layout`` NHWC or NCHW, ``normalise`` mean and deviation of RGB in 0–1 (null: bytes as
they are), ``softmax`` whether scores are still to be made of logits, ``classes`` the list of names or
"imagenet-1k".
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
MOBILENET = "mobilenet_v3_large"
SPECS = (MOBILENET, "efficientnet_lite0")
NEEDED = {"model", "input", "output", "size", "middle", "layout", "normalise", "softmax", "classes"}


def pack(network: Path, spec: Mapping[str, Any], archive: Path) -> str:
    """Write ``archive`` (``.tar.gz``) and return the version, which is the network's fingerprint.

    The same network and specification give the same bytes. Raises :exc:`ValueError` where ``spec`` lacks
    something.
    """
    if missing := NEEDED - spec.keys():
        raise ValueError(f"The specification lacks {', '.join(sorted(missing))}.")
    weights = network.read_bytes()
    version = hashlib.sha256(weights).hexdigest()[:8]
    told = {**spec, "model": {**spec["model"], "version": version}}
    handler = {name: (HERE / "code" / name).read_bytes() for name in ("inference.py", "requirements.txt")}
    files = {
        "model.onnx": weights,
        "model.json": json.dumps(told, indent=2).encode(),
        **{f"code/{name}": content for name, content in handler.items()},
    }
    _write(archive, files)
    return version


def specification(name: str) -> dict[str, Any]:
    """One of the specifications that come along."""
    spec: dict[str, Any] = json.loads((HERE / f"{name}.json").read_text("utf-8"))
    return spec


def export_mobilenet(weights: Path, network: Path) -> None:
    """Turn torchvision's weights of MobileNetV3-Large into ONNX. Needs torch, torchvision and onnx."""
    import torch
    from torchvision.models import mobilenet_v3_large

    model = mobilenet_v3_large()
    model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    torch.onnx.export(
        model.eval(),
        (torch.zeros(1, 3, 224, 224),),
        str(network),
        input_names=["image"],
        output_names=["logits"],
        opset_version=17,
        dynamo=False,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Pack MobileNetV3 from its weights, or any classifier in ONNX with its specification."""
    parser = argparse.ArgumentParser(prog="python -m sagemaker.package", description=main.__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--weights", type=Path, help="torchvision's mobilenet_v3_large-….pth")
    source.add_argument("--network", type=Path, help="a classifier in ONNX")
    parser.add_argument("--spec", help=f"a JSON file, or one of {', '.join(SPECS)}; with --network")
    parser.add_argument("--out", type=Path, default=Path("build/model.tar.gz"))
    given = parser.parse_args(arguments)
    if given.network and not given.spec:
        parser.error("--network needs --spec")
    with tempfile.TemporaryDirectory() as folder:
        network = given.network or Path(folder) / f"{MOBILENET}.onnx"
        if given.weights:
            export_mobilenet(given.weights, network)
        version = pack(network, _chosen(given.spec or MOBILENET), given.out)
    print(f"{given.out}: version {version}, {given.out.stat().st_size:,} bytes")


def _chosen(spec: str) -> Mapping[str, Any]:
    if spec in SPECS:
        return specification(spec)
    read: dict[str, Any] = json.loads(Path(spec).read_text("utf-8"))
    return read


def _write(archive: Path, files: Mapping[str, bytes]) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    # Names, times and owners are fixed, so that a new version means a new network.
    with (
        archive.open("wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as tar,
    ):
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o644
            tar.addfile(member, io.BytesIO(content))


if __name__ == "__main__":
    main()

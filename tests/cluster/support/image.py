"""`python -m tests.cluster.support.image TAG`: what an image that buildah has is made of, and its SBOM (CycloneDX).

The SBOM lists the Python packages that the image holds and the Debian packages below them.
"""

import argparse
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from tests.cluster.support.node import ROOT

SBOM_FILE = ROOT / "dist" / "sbom.cdx.json"
PARTS = 10
_MB = 1_000_000
_SITE_PACKAGES = re.compile(r"^opt/venv/lib/python3\.\d+/site-packages/([^/]+)")
_DIST_INFO = re.compile(r"-[^-]*\.dist-info$")
_OWN = re.compile(r"^(opt/bytecode|app|opt/venv)(?:/|$)")
_STANDARD_LIBRARY = re.compile(r"^usr/(?:local/)?lib/python3(?:\.\d+)?/")


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer of the image."""

    size_bytes: int
    compressed_bytes: int


def read_layers(image: str) -> list[Layer]:
    """The layers as a registry would hold them (gzip), the base image's first."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["buildah", "push", "-q", image, f"oci:{folder}:image"], check=True, stdout=subprocess.DEVNULL)
        blobs = Path(folder) / "blobs" / "sha256"
        (entry,) = json.loads((Path(folder) / "index.json").read_text())["manifests"]
        manifest = json.loads(_blob(blobs, entry).read_text())
        return [_measure(_blob(blobs, layer)) for layer in manifest["layers"]]


def _blob(blobs: Path, described: Mapping[str, Any]) -> Path:
    return blobs / str(described["digest"]).removeprefix("sha256:")


def _measure(blob: Path) -> Layer:
    with gzip.open(blob) as content:
        size_bytes = sum(len(chunk) for chunk in iter(lambda: content.read(_MB), b""))
    return Layer(size_bytes=size_bytes, compressed_bytes=blob.stat().st_size)


@contextmanager
def mounted(image: str) -> Iterator[Path]:
    """The image's root file system, to be read."""
    container = _output("buildah", "from", "--pull-never", image)
    try:
        yield Path(_output("buildah", "mount", container))
    finally:
        _output("buildah", "rm", container)


def measure_parts(root: Path) -> list[tuple[str, int]]:
    """The image's parts by size, the largest first: Python packages, the standard library, folders of the base."""
    sizes: Counter[str] = Counter()
    for folder, _, files in os.walk(root):
        for name in files:
            path = Path(folder, name)
            sizes[_name_part(str(path.relative_to(root)))] += path.lstat().st_size
    return sizes.most_common()


def _name_part(path: str) -> str:
    if package := _SITE_PACKAGES.match(path):
        return f"package {_DIST_INFO.sub('', package[1])}"
    if own := _OWN.match(path):
        return f"/{own[1]}"
    if _STANDARD_LIBRARY.match(path):
        return "base: Python's standard library"
    return "base: /" + "/".join(path.split("/")[:2])


def make_sbom(root: Path) -> dict[str, Any]:
    """A CycloneDX document that tells nothing of when and where it was made.

    Raises:
        ValueError: It does not follow the schema.
    """
    document = _list_python_packages(root)
    document["components"] += _list_debian_packages(root)
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document))
    if fault is not None:
        raise ValueError(f"the SBOM does not follow CycloneDX 1.6: {fault}")
    return document


def _list_python_packages(root: Path) -> dict[str, Any]:
    """cyclonedx-py asks an interpreter for its path; this one has the image's."""
    (packages,) = root.glob("opt/venv/lib/python3*/site-packages")
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder) / "python"
        python.write_text(f'#!/bin/sh\nPYTHONPATH="{root}/app:{packages}" exec "{sys.executable}" -S "$@"\n')
        python.chmod(0o755)
        command = [sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible", "--pyproject"]
        document: dict[str, Any] = json.loads(_output(*command, str(ROOT / "pyproject.toml"), str(python)))
    own = document["metadata"]["component"]["name"]
    document["components"] = [one for one in document["components"] if one["name"] != own]
    return document


def _list_debian_packages(root: Path) -> list[dict[str, Any]]:
    text = (root / "var/lib/dpkg/status").read_text()
    release = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', (root / "etc/os-release").read_text(), re.MULTILINE))
    found = []
    for paragraph in text.strip().split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z-]+): (.*)$", paragraph, re.MULTILINE))
        name, version, architecture = fields["Package"], fields["Version"], fields["Architecture"]
        distro = f"{release['ID']}-{release['VERSION_ID']}"
        purl = f"pkg:deb/{release['ID']}/{name}@{_quote(version)}?arch={architecture}&distro={distro}"
        found.append({"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl})
    return sorted(found, key=lambda one: one["name"])


def _quote(version: str) -> str:
    return version.replace("+", "%2B").replace(":", "%3A")


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def _print_figures(layers: list[Layer], parts: list[tuple[str, int]]) -> None:
    base, own = layers[0], layers[1:]
    for name, some in (("image", layers), ("base image", [base]), ("above it", own)):
        size, compressed = sum(one.size_bytes for one in some), sum(one.compressed_bytes for one in some)
        print(f"{name:<12} {size / _MB:7.1f} MB, compressed {compressed / _MB:6.1f} MB")
    print(f"the {PARTS} largest parts:")
    for part, size in parts[:PARTS]:
        print(f"{size / _MB:9.1f} MB  {part}")


def main() -> None:
    """Print the figures, or write the SBOM."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.support.image", description=__doc__)
    parser.add_argument("image", help="an image that buildah has")
    parser.add_argument("--sbom", action="store_true", help=f"write {SBOM_FILE.relative_to(ROOT)} instead of figures")
    options = parser.parse_args()
    if os.geteuid() != 0 or not shutil.which("buildah"):
        sys.exit("root and buildah are needed: `tests/cluster/node/cluster build node` installs it")
    with mounted(options.image) as root:
        if not options.sbom:
            _print_figures(read_layers(options.image), measure_parts(root))
            return
        document = make_sbom(root)
    SBOM_FILE.parent.mkdir(exist_ok=True)
    SBOM_FILE.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")
    print(f"{SBOM_FILE.relative_to(ROOT)}: {len(document['components'])} components")


if __name__ == "__main__":
    main()

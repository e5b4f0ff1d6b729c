"""Container images of one layer: programs of this machine with the libraries that they load."""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import re
import subprocess
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .base import Trouble

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
Members = list[tuple[tarfile.TarInfo, bytes]]


@dataclass
class Image:
    names: Sequence[str]
    programs: dict[str, str]  # where it comes from -> where it is in the image
    trees: dict[str, str] = field(default_factory=dict)
    left_out: Sequence[str] = ()  # of the trees: names of files and folders
    user: str = ""
    entrypoint: Sequence[str] = ()
    environment: Sequence[str] = ()

    def write(self, archive: Path) -> None:
        layer = self._layer()
        config = json.dumps(
            {
                "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
                "os": "linux",
                "config": {
                    "User": self.user,
                    "Entrypoint": list(self.entrypoint),
                    "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", *self.environment],
                },
                "rootfs": {"type": "layers", "diff_ids": ["sha256:" + _digest(layer)]},
            }
        ).encode()
        name = f"{_digest(config)}.json"
        parts = {name: config, "layer.tar": layer, "manifest.json": _manifest(name, self.names)}
        _write_archive(archive, [(_info(name, len(b)), b) for name, b in parts.items()])

    def _layer(self) -> bytes:
        files = self._files()
        for library in _libraries(source for source in files.values() if _may_load(source)):
            files.setdefault(library, library)
        layer = io.BytesIO()
        with tarfile.open(fileobj=layer, mode="w") as out:
            for folder in ("tmp", "data"):
                info = tarfile.TarInfo(folder)
                info.type, info.mode = tarfile.DIRTYPE, 0o1777
                out.addfile(info)
            for target, source in sorted(files.items()):
                content = Path(source).read_bytes()
                executable = os.access(source, os.X_OK) or ".so" in target
                info = _info(target.lstrip("/"), len(content))
                info.mode = 0o755 if executable else 0o644
                out.addfile(info, io.BytesIO(content))
        return layer.getvalue()

    def _files(self) -> dict[str, str]:
        """Where it is in the image -> where it comes from."""
        files = {target: source for source, target in self.programs.items()}
        for source, target in self.trees.items():
            for folder, folders, names in os.walk(source):
                folders[:] = [name for name in folders if name not in self.left_out]
                for name in set(names) - set(self.left_out):
                    path = Path(folder, name)
                    if path.is_file():
                        files[str(Path(target) / path.relative_to(source))] = str(path)
        lacking = [source for source in files.values() if not Path(source).exists()]
        if lacking:
            raise Trouble(f"{self.names[0]} is to have {lacking[0]}, which is not here")
        return files


def rename(archive: Path, names: Sequence[str], to: Path) -> None:
    """Another one's image by other names: `docker save`'s archives say them in their manifest."""
    with tarfile.open(archive) as old:
        parts: Members = []
        for info in old:
            content = old.extractfile(info)
            parts.append((info, content.read() if content else b""))
    for number, (info, content) in enumerate(parts):
        if info.name == "manifest.json":
            (described,) = json.loads(content)
            described["RepoTags"] = list(names)
            fresh = json.dumps([described]).encode()
            parts[number] = (_info(info.name, len(fresh)), fresh)
    # The older list of names, and the index that is of newer engines' own format beside it.
    others = ("repositories", "index.json", "oci-layout")
    _write_archive(to, [(info, content) for info, content in parts if info.name not in others])


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _manifest(config: str, names: Sequence[str]) -> bytes:
    return json.dumps([{"Config": config, "RepoTags": list(names), "Layers": ["layer.tar"]}]).encode()


def _info(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = size
    return info


def _write_archive(archive: Path, parts: Members) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    fresh = archive.with_name(archive.name + ".new")
    with tarfile.open(fresh, "w") as out:
        for info, content in parts:
            out.addfile(info, io.BytesIO(content) if info.isreg() else None)
    fresh.rename(archive)


def _may_load(file: str) -> bool:
    with open(file, "rb") as opened:
        return opened.read(4) == b"\x7fELF"


def _libraries(programs: Iterable[str]) -> set[str]:
    said = subprocess.run(["ldd", *programs], capture_output=True, text=True).stdout
    if lacking := re.search(r"(\S+) => not found", said):
        raise Trouble(f"there is no {lacking[1]} here, which a program of an image loads")
    return set(re.findall(r"(/\S+) \(0x", said))

"""An image in the form of `docker save`: its configuration and its files."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

from .confined import Confinement

# What engines put there, in every image: the names of hosts and where to ask for more.
GIVEN_BY_ENGINES = ("etc/hosts", "etc/resolv.conf")


class Image:
    def __init__(self, archive: Path, directory: Path) -> None:
        self.root = directory / "root"
        self.root.mkdir()
        self.members: dict[str, tarfile.TarInfo] = {}
        with tarfile.open(archive) as saved:
            manifest = json.load(saved.extractfile("manifest.json"))[0]
            self.config: dict[str, Any] = json.load(saved.extractfile(manifest["Config"]))["config"]
            self.layers = len(manifest["Layers"])
            for layer in manifest["Layers"]:
                self._lay(saved.extractfile(layer))
        self.bytes = sum(member.size for member in self.members.values())
        for name in GIVEN_BY_ENGINES:
            (self.root / name).touch()

    def _lay(self, file: Any) -> None:
        with tarfile.open(fileobj=file) as layer:
            for member in layer:
                name = member.name.removeprefix("./").rstrip("/")
                assert not Path(name).name.startswith(".wh."), "a layer that removes files"
                if name not in ("", "."):
                    self.members[name] = member
            layer.extractall(self.root, numeric_owner=True)

    def files(self) -> dict[str, tarfile.TarInfo]:
        return {name: member for name, member in self.members.items() if member.isfile()}

    def confinement(self, env: dict[str, str] | None = None, **options: Any) -> Confinement:
        """As an engine runs it, told nothing: its own entrypoint, user and environment."""
        uid, gid = (int(number) for number in self.config["User"].split(":"))
        environment = dict(entry.split("=", 1) for entry in self.config["Env"]) | (env or {})
        arguments = [*self.config["Entrypoint"], *(self.config.get("Cmd") or [])]
        return Confinement(str(self.root), arguments, uid, gid, environment, **options)

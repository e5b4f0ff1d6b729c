"""The images that every node has. No registry is asked for any of them."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from pathlib import Path
from types import ModuleType

from . import image
from .base import BIN, IMAGES, LAB, REPOSITORY, Trouble, run
from .image import Image

SERVER = REPOSITORY / "build" / "release" / "canang"
ARCHIVE = REPOSITORY / "build" / "image" / "canang.tar"  # of ./dev image
NOBODY = "65532:65532"


def make(quick: bool) -> list[str]:
    """As archives in build/kubernetes/images. Returns their names."""
    shutil.rmtree(IMAGES, ignore_errors=True)
    IMAGES.mkdir(parents=True)
    made = [_of_redis(), _of_load(), _of_pause()]
    for one in made:
        one.write(_archive_of(one.names[0]))
    names = [one.names[0] for one in made]
    names.append(_canang(["canang:lab", f"canang:{_version()}"], quick))
    if before := os.environ.get("LAB_BEFORE"):
        _server_alone(before, ["canang:before"]).write(_archive_of("canang:before"))
        names.append("canang:before")
    return names


def _archive_of(name: str) -> Path:
    return IMAGES / f"{name.replace(':', '-')}.tar"


def _canang(names: list[str], quick: bool) -> str:
    archive = Path(os.environ.get("CANANG_IMAGE", ARCHIVE))
    if quick:
        _server_alone(os.environ.get("CANANG_BIN", str(SERVER)), names).write(_archive_of(names[0]))
    elif archive.exists():
        image.rename(archive, names, _archive_of(names[0]))
    else:
        raise Trouble(f"there is no {archive}: ./dev image makes it; --quick does without")
    return names[0]


def _server_alone(program: str, names: list[str]) -> Image:
    """What scripts/image makes, but for its base: the tests of packaging are about that."""
    return Image(
        names,
        {program: "/usr/bin/canang"},
        user=NOBODY,
        entrypoint=["/usr/bin/canang"],
        environment=["CANANG_INTERNAL_LISTEN=0.0.0.0:9000"],
    )


def _of_redis() -> Image:
    """Debian's."""
    programs = {}
    for name in ("redis-server", "redis-cli"):
        found = shutil.which(name)
        if not found:
            raise Trouble(f"there is no {name} here")
        programs[found] = f"/usr/bin/{name}"
    names = ["redis:lab", f"redis:{_redis_tag()}"]
    return Image(names, programs, user=NOBODY, entrypoint=["/usr/bin/redis-server"])


def _of_load() -> Image:
    recipe = _load_recipe()
    programs = {str(REPOSITORY / source): target for source, target in recipe.PROGRAMS.items()}
    trees = {str(REPOSITORY / source): target for source, target in recipe.TREES.items()}
    return Image([recipe.NAME], programs, trees, recipe.LEFT_OUT, recipe.USER)


def _load_recipe() -> ModuleType:
    path = LAB / "scenarios" / "load_image.py"
    spec = importlib.util.spec_from_file_location("load_image", path)
    assert spec and spec.loader
    recipe = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(recipe)
    return recipe


def _of_pause() -> Image:
    return Image(["pause:lab"], {str(BIN / "pause"): "/pause"}, user=NOBODY, entrypoint=["/pause"])


def build_pause() -> None:
    """Of k8s/lab/images/pause.c; the lab's own first process too."""
    BIN.mkdir(parents=True, exist_ok=True)
    source, program = LAB / "images" / "pause.c", BIN / "pause"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        run(["cc", "-O2", "-static", "-Wall", "-Wextra", "-Werror", "-o", program, source])


def _version() -> str:
    """Of the image that k8s/base names."""
    text = (REPOSITORY / "CMakeLists.txt").read_text()
    return _match(r"^project\(canang VERSION ([0-9.]+)", text)


def _redis_tag() -> str:
    text = (REPOSITORY / "k8s" / "overlays" / "trial" / "kustomization.yaml").read_text()
    return _match(r"- name: redis\n +newTag: (\S+)", text)


def _match(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.M)
    if not found:
        raise Trouble(f"nothing matches {pattern}")
    return found[1]

"""scripts/ccache_clang: what a clone may take from the cache that another one has filled."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import REPOSITORY

CLANG = shutil.which("clang++-14")


def compile_clone(root: Path, cache: Path, calls: str = "answer()") -> tuple[int, int]:
    """A header and what is compiled with it, as CMake does: what was found of both, and what was not."""
    build = root / "build"
    build.mkdir(parents=True)
    (root / "header.hpp").write_text("inline int answer() { return 42; }\n")
    (root / "source.cpp").write_text(f"int ask() {{ return {calls}; }}\n")
    header = build / "header.hxx"
    header.write_text(f'#include "{root}/header.hpp"\n')
    (build / "header.hxx.cxx").write_text("")
    compiled = "header.hxx.pch"
    environment = os.environ | {
        "CCACHE_DIR": str(cache),
        "CCACHE_BASEDIR": str(root),
        "CCACHE_NOHASHDIR": "1",
        "CCACHE_SLOPPINESS": "pch_defines,time_macros,include_file_mtime,include_file_ctime",
    }

    def run(*arguments: str | Path) -> str:
        ended = subprocess.run(
            [str(part) for part in arguments],
            cwd=build,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    run("ccache", "--zero-stats")
    launch = (REPOSITORY / "scripts" / "ccache_clang", CLANG, "-Xclang", "-fno-pch-timestamp")
    include = ("-Xclang", "-include", "-Xclang", header)
    precompile = ("-Xclang", "-emit-pch", *include, "-x", "c++-header")
    dependencies = ("-MD", "-MT", compiled, "-MF", f"{compiled}.d")
    run(*launch, *precompile, *dependencies, "-o", compiled, "-c", f"{header}.cxx")
    with_header = ("-Xclang", "-include-pch", "-Xclang", build / compiled, *include)
    run(*launch, *with_header, "-o", "source.o", "-c", root / "source.cpp")
    lines = (line.split("\t") for line in run("ccache", "--print-stats").splitlines())
    counted = {name: int(count) for name, count in lines}
    found = counted["direct_cache_hit"] + counted["preprocessed_cache_hit"]
    return found, counted["cache_miss"]


@pytest.mark.skipif(not CLANG, reason="clang++-14 is not installed")
def test_a_clone_compiles_with_what_one_that_is_gone_left_in_the_cache(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first, second = tmp_path / "first", tmp_path / "second"
    assert compile_clone(first, cache) == (0, 2)
    # Its header anew, for that of the other one names files of the other one.
    assert compile_clone(second, cache) == (1, 1)
    shutil.rmtree(second)
    shutil.rmtree(first)
    assert compile_clone(first, cache, "answer() + 1") == (1, 1)

"""Compile mappy and edlib, of which there are no wheels for every machine of the functions, with
the C compiler of the wheel `ziglang`.

`python cross_compile.py SDISTS OUT aarch64-manylinux_2_28 INCLUDE`: the folder of their sources,
the folder for `mappy.so` and `edlib.so`, the platform as uv names it, and a folder with the headers
of the runtime's Python (they are the same on every 64-bit Linux). It runs with cython and ziglang
on its path.

mappy needs five functions of zlib, which every Linux has. To link without the other machine's zlib,
a library of that name with empty functions stands in; it is no part of the result.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ZLIB = ("gzopen", "gzopen64", "gzdopen", "gzread", "gzclose")
SSE = {"x86_64": ["-msse4.1"], "aarch64": ["-DKSW_SSE2_ONLY", "-D__SSE2__", "-Isse2neon"]}
"""As mappy's own setup has them."""
NO_PART_OF_MAPPY = {"main.c", "example.c", "ksw2_dispatch.c", "zlib.c"}


class Compiler:
    """For one machine; `target` names its glibc."""

    def __init__(self, platform: str, include: Path, out: Path) -> None:
        found = re.fullmatch(r"(x86_64|aarch64)-manylinux_(\d+)_(\d+)", platform)
        if found is None:
            raise SystemExit(f"cannot compile for {platform}: set POREWATCH_LAYER_PLATFORM")
        self.machine = found[1]
        self.target = f"{found[1]}-linux-gnu.{found[2]}.{found[3]}"
        self._headers = ["-idirafter", str(include), "-idirafter", "/usr/include"]
        self._out = out.resolve()

    def shared(self, folder: Path, name: str, language: str, *arguments: str) -> None:
        """A library from sources of the folder; one without a path is put beside them."""
        common = ["-target", self.target, "-shared", "-fPIC", "-O3", "-w", "-Wl,-s"]
        run(folder, "ziglang", language, *common, *self._headers, "-o", name, *arguments)

    def module(self, folder: Path, name: str, language: str, *arguments: str) -> None:
        """A module of Python, put where the layer's packages are."""
        self.shared(folder, str(self._out / f"{name}.so"), language, *arguments)


def mappy(source: Path, compiler: Compiler) -> None:
    run(source, "cython", "-3", "python/mappy.pyx", "-o", "mappy_module.c")
    empty = "".join(f"int {name}(void) {{ return 0; }}\n" for name in ZLIB)
    (source / "zlib.c").write_text(empty)
    compiler.shared(source, "libz.so", "cc", "-Wl,-soname,libz.so.1", "zlib.c")
    code = sorted(p.name for p in source.glob("*.c") if p.name not in NO_PART_OF_MAPPY)
    options = ["-DHAVE_KALLOC", *SSE[compiler.machine], "-I.", "-Ipython", "-L."]
    compiler.module(source, "mappy", "cc", *options, *code, "-lz", "-lm", "-lpthread")


def edlib(source: Path, compiler: Compiler) -> None:
    run(source, "cython", "-3", "--cplus", "edlib.pyx", "-o", "edlib_module.cpp")
    code = ["edlib_module.cpp", "edlib/src/edlib.cpp"]
    compiler.module(source, "edlib", "c++", "-std=c++11", "-Iedlib/include", *code)


def run(folder: Path, module: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", module, *arguments], cwd=folder, check=True)


def main(sdists: Path, out: Path, platform: str, include: Path) -> None:
    compiler = Compiler(platform, include, out)
    for package in (mappy, edlib):
        [sdist] = sdists.glob(f"{package.__name__}-*.tar.gz")
        with tempfile.TemporaryDirectory() as folder, tarfile.open(sdist) as packed:
            packed.extractall(folder, filter="data")
            package(next(Path(folder).iterdir()), compiler)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))

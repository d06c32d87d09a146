"""A layer is unpacked once, not once for every worker of every function.

Why: the engine unpacks all layers into a new folder for each function process. Ours hold 100 MB;
a burst of files would unpack gigabytes and make every cold start slower than the work. Functions
treat layers as read-only, as they must on AWS.
Delete when: the engine keeps unpacked layers.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tempfile
import threading
import zipfile
from pathlib import Path

from ministack.core import lambda_runtime

from ..rewriting import PatchRefused, rewrite

_lock = threading.Lock()


def unpacked(layer: bytes) -> str:
    """The folder with this layer's content."""
    room = Path(tempfile.gettempdir()) / "layers"
    target = room / hashlib.sha256(layer).hexdigest()[:24]
    with _lock:
        if not target.exists():
            draft = room / f"{target.name}.{os.getpid()}"
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(parents=True)
            with zipfile.ZipFile(io.BytesIO(layer)) as archive:
                for member in archive.namelist():
                    if not (draft / member).resolve().is_relative_to(draft.resolve()):
                        raise PatchRefused(f"a layer's entry leaves its folder: {member}")
                archive.extractall(draft)
            draft.rename(target)
    return str(target)


def apply() -> None:
    rewrite(
        lambda_runtime,
        "_spawn",
        (
            "layer_data = _resolve_layer_zip(layer_ref)\n",
            "layer_data = _resolve_layer_zip(layer_ref)\n"
            "                if layer_data:\n"
            "                    layers_dirs.append(_porewatch_unpacked(layer_data))\n"
            "                    layer_data = None\n",
        ),
        of=lambda_runtime.Worker,
        _porewatch_unpacked=unpacked,
    )

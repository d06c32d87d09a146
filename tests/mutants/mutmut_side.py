"""Runs in the copy of the tree, with the product's Python and mutmut behind its packages:
mutates, tests, and writes what survived to `survivors.json`.

The first argument is where mutmut is installed; it comes last on the path, so that the product's
own packages (pytest among them) are the ones that it was locked with.
"""

import json
import sys
from pathlib import Path

sys.path.append(sys.argv[1])

from mutmut.__main__ import run, walk_mutatable_files
from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code

KILLED = ("killed", "timeout")
run.callback((), max_children=int(sys.argv[2]))
survivors, tried = [], 0
for path in walk_mutatable_files():
    data = SourceFileMutationData(path=path)
    data.load()
    tried += len(data.exit_code_by_key)
    survivors += [
        {
            "name": name,
            "how": status_by_exit_code[code],
            "diff": get_diff_for_mutant(name, path=path),
        }
        for name, code in data.exit_code_by_key.items()
        if status_by_exit_code[code] not in KILLED
    ]
told = {"tried": tried, "survivors": survivors}
Path("survivors.json").write_text(json.dumps(told), encoding="utf-8")

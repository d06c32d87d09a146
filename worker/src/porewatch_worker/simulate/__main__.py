"""`python -m porewatch_worker.simulate demo FOLDER [--references DIR] [--scale X]`."""

from __future__ import annotations

import argparse
from pathlib import Path

from porewatch_worker.simulate.demo import SEED, make_demo


def main() -> None:
    parser = argparse.ArgumentParser(prog="porewatch_worker.simulate", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="make the demo's bundle and run")
    demo.add_argument("folder", type=Path)
    demo.add_argument("--references", type=Path, help="folder of bundles")
    demo.add_argument("--seed", type=int, default=SEED)
    demo.add_argument("--scale", type=float, default=1.0, help="times as many host reads")
    arguments = parser.parse_args()
    made = make_demo(
        arguments.folder, arguments.references, seed=arguments.seed, scale=arguments.scale
    )
    print(made.model_dump_json(indent=1))


if __name__ == "__main__":
    main()

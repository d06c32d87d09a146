"""`python -m porewatch_local.stripe_stand_in CONFIG`: serve until it is stopped."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from porewatch_local.stripe_stand_in.server import StandIn


def main() -> None:
    config = json.loads(Path(sys.argv[1]).read_text())
    StandIn(config["api_key"], config["webhook_secret"], port=config["port"]).serve_forever()


if __name__ == "__main__":
    main()

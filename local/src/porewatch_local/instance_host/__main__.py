"""`python -m porewatch_local.instance_host CONFIG`: runs until SIGTERM, then ends all instances."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from pathlib import Path

from porewatch_local.instance_host.cloud import Cloud
from porewatch_local.instance_host.config import HostConfig
from porewatch_local.instance_host.host import Host
from porewatch_local.instance_host.server import serve
from porewatch_local.paths import ACCOUNT


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("botocore").setLevel(logging.WARNING)
    config = HostConfig.model_validate_json(Path(sys.argv[1]).read_text())
    host = Host(config, Cloud(config), ACCOUNT)
    for polite in (signal.SIGTERM, signal.SIGINT):
        signal.signal(polite, lambda *_: host.stopping.set())
    server = serve(host)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host.run()
    server.shutdown()


if __name__ == "__main__":
    main()

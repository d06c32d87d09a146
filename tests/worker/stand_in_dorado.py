#!/usr/bin/env python
"""Stands in for dorado in tests: its command line, its exit codes, its BAM. It cannot basecall.

It reads the POD5 it is given and writes one unaligned read for each signal read, with bases that
are a digest of the signal, in an order that differs from call to call, as dorado's does. The
POREWATCH_TEST_DORADO variable makes it fail as the real one does.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import sys
import time
from typing import Any

VERSION = "1.4.0+stand-in"
MODEL = "dna_r10.4.1_e8.2_400bps_{0}@v5.2.0"
FAULTS = {
    "no-gpu": "[error] CUDA device requested but no devices found.",
    "no-model": "[error] Model path does not exist at: 'nonsense' - Please download the model.",
    "bad-file": "[error] Failed to load pod5 data: 'not a signal file'",
    "crash": "[error] CUDA error: out of memory\nframe #0: c10::Error::Error",
}


def main() -> int:
    print("\x1b[0m[info] Running: " + " ".join(sys.argv[1:]), file=sys.stderr)
    if sys.argv[1:] in (["--version"], ["-v"]):
        print(VERSION, file=sys.stderr)
        return 0
    parser = argparse.ArgumentParser(prog="dorado", exit_on_error=False)
    parser.add_argument("command", choices=["basecaller"])
    parser.add_argument("model")
    parser.add_argument("data")
    parser.add_argument("-x", "--device", default="auto")
    parser.add_argument("--models-directory", default=".")
    parser.add_argument("--kit-name", default="")
    try:
        arguments = parser.parse_args()
    except argparse.ArgumentError as e:
        print(f"[error] {e}", file=sys.stderr)
        return 1
    return call(arguments, os.environ.get("POREWATCH_TEST_DORADO", ""))


def call(arguments: argparse.Namespace, fault: str) -> int:
    if fault in FAULTS:
        print(FAULTS[fault], file=sys.stderr)
        return 1
    if fault == "killed":
        os.kill(os.getpid(), 9)
    if fault == "slow":
        time.sleep(60)
    if not arguments.data.endswith(".pod5"):
        print("[error] No POD5 data found in path: " + arguments.data, file=sys.stderr)
        return 1
    if fault != "cut-short":
        write_bam(arguments)
    else:
        sys.stdout.buffer.write(b"BAM but not really")
    print("\r> Basecalling 100%\n[info] > Finished", file=sys.stderr)
    return 0


def write_bam(arguments: argparse.Namespace) -> None:
    import pod5
    import pysam

    with pod5.Reader(arguments.data) as reader:
        signals = [(str(r.read_id), r.signal.tobytes(), r.run_info) for r in reader.reads()]
    random.shuffle(signals)
    run, model = signals[0][2].acquisition_id, MODEL.format(arguments.model)
    group = f"{run}_{model}" + (f"_{arguments.kit_name}_barcode07" if arguments.kit_name else "")
    header = {
        "HD": {"VN": "1.6", "SO": "unknown"},
        "PG": [{"ID": "basecaller", "PN": "dorado", "VN": VERSION, "CL": " ".join(sys.argv)}],
        "RG": [{"ID": group, "PL": "ONT", "DS": f"basecall_model={model} runid={run}"}],
    }
    with pysam.AlignmentFile("-", "wb", header=header) as out:
        for name, signal, _ in signals:
            out.write(record(name, signal, group, out.header))


def record(name: str, signal: bytes, group: str, header: Any) -> Any:
    import pysam

    digest = hashlib.sha512(signal).digest() * (1 + len(signal) // 8000)
    read = pysam.AlignedSegment(header)
    read.query_name, read.flag = name, 4
    read.query_sequence = "".join("ACGT"[byte & 3] for byte in digest)
    read.query_qualities = pysam.qualitystring_to_array("5" * len(digest))
    read.set_tags([("RG", group), ("qs", 20.0), ("st", "2020-01-01T00:00:00.000+00:00")])
    return read


if __name__ == "__main__":
    sys.exit(main())

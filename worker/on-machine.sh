#!/bin/bash
# `porewatch-worker` on a baked machine: the same words, said to the image that was baked in.
#
# Bundles that were baked in need not be fetched. The network is the machine's: the metadata service answers over one hop
# only. SIGTERM is passed on by docker.
set -euo pipefail

image=$(cat "${POREWATCH_IMAGE_FILE:-/etc/porewatch/image}")
scratch=${POREWATCH_SCRATCH:-/var/lib/porewatch/scratch}
references=${REFERENCES_PATH:-/var/cache/porewatch/references}

mkdir -p "$scratch" "$references"
chown 10001 "$scratch"

given=(--volume "$references:/mnt/references:ro" --volume "$scratch:/scratch")

# The dead-man's sign of life is read on the machine and given inside.
if [ -n "${POREWATCH_ALIVE:-}" ]; then
  touch "$POREWATCH_ALIVE"
  chown 10001 "$POREWATCH_ALIVE"
  given+=(--volume "$POREWATCH_ALIVE:$POREWATCH_ALIVE")
fi

# What user-data exported, by name only: no value shows in a list of processes.
for name in $(compgen -e); do
  case $name in
    POREWATCH_SCRATCH | POREWATCH_IMAGE_FILE | POREWATCH_GPU_SECONDS) ;;
    POREWATCH_* | AWS_REGION | AWS_DEFAULT_REGION | AWS_EC2_METADATA_SERVICE_ENDPOINT | LEDGER_TABLE | RAW_BUCKET | RESULTS_BUCKET | REFERENCES_BUCKET | WORKER_QUEUE_URL)
      given+=(--env "$name") ;;
  esac
done
# An image with a driver is used on machines without a GPU, too (the builder's, and those of other stages): there the
# container toolkit would refuse to start anything. A GPU that has fallen off its bus makes nvidia-smi hang.
if timeout -k 5 "${POREWATCH_GPU_SECONDS:-60}" nvidia-smi -L >/dev/null 2>&1; then
  given+=(--gpus all)
else
  given+=(--runtime runc)
fi

# From SIGTERM to SIGKILL: the worker takes up to 60 s for the unit at hand, then saves.
exec docker run --rm --network host --stop-timeout 90 "${given[@]}" "$image" porewatch-worker "$@"

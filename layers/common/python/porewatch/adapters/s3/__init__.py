"""What lies in S3: manifests, checkpoints, reference bundles, uploads in parts, all versions."""

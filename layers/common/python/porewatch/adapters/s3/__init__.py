"""S3: manifests, checkpoints, reference bundles, multipart uploads, object versions."""

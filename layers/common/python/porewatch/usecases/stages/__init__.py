"""Step Functions' tasks and workers' messages: a stage opens, is claimed, published, or fails."""

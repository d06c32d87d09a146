"""One verb a file: what a function or the CLI does, with `domain` deciding and adapters storing."""

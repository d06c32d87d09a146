"""What pages are made of: the document model, plots, numbers, texts, control ticks."""

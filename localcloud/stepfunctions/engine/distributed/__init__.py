"""Distributed Map: items are read, batched, and each batch is an execution of its own."""

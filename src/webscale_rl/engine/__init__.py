"""Runs the pipeline over a corpus: calls, replies, shards, the local runner."""

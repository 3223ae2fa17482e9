"""The backends, one file each: what answers a stage's requests. A new backend is a new file with one class."""

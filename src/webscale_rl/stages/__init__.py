"""The stages, one file each, in the paper's words. The folder is the registry: a new stage is a new file."""

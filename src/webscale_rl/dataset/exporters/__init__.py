"""The exporters, one file per form. The folder is the registry: a new exporter is a new file."""

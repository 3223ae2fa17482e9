"""The sieves, one file each. The folder is the registry: a new sieve is a new file."""

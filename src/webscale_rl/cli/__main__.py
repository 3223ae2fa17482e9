"""`python -m webscale_rl.cli`."""

from webscale_rl.cli import main

main()

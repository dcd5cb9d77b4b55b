"""`python -m scones`, as the command `scones`."""

from scones.cli.main import main

main()

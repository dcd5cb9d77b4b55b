"""`python -m localcloud`: the command."""

from localcloud.cli import main

main()

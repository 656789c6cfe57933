"""`python -m ripieno.cli`."""

from ripieno.cli import main

if __name__ == "__main__":
    main()

"""`python -m scopewatch`."""

from scopewatch.cli import main

if __name__ == "__main__":
    main()

"""``python -m thence``: the command line."""

from thence.cli import main

if __name__ == "__main__":
    main()

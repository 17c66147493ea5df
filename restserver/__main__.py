"""``python -m restserver`` is ``restserver``."""

from restserver.cli import main

if __name__ == "__main__":
    main()

"""`python -m gradgan` is the command `gradgan`."""

from .cli import main

if __name__ == "__main__":
    main()

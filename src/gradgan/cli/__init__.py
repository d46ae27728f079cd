"""The command line: words to calls, nothing else. Importing it loads neither torch nor matplotlib."""

import sys
from collections.abc import Sequence

from ..core.errors import GradganError, NonFiniteError


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; bad input is one line on stderr and exit code 2, a run that diverged 3, an interrupt 130."""
    import tyro

    from . import commands

    try:
        tyro.extras.subcommand_cli_from_dict(
            commands.COMMANDS,
            prog="gradgan",
            description="Train GANs whose gradients are kept in hand. Begin with: gradgan train digits",
            args=list(sys.argv[1:] if arguments is None else arguments),
            config=(tyro.conf.FlagCreatePairsOff,),
        )
    except NonFiniteError as error:
        _leave(str(error), 3)
    except GradganError as error:
        _leave(str(error), 2)
    except KeyboardInterrupt:
        _leave("interrupted; the last checkpoint is kept. Go on with the same command and --resume.", 130)
    except BrokenPipeError:
        # The reader of our output (head, less) has gone; that is no error of ours.
        sys.stderr.close()


def _leave(message: str, code: int) -> None:
    print(f"gradgan: {message}", file=sys.stderr)
    sys.exit(code)

"""The command line: words to calls, nothing else. Importing it loads neither torch nor matplotlib."""

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from .. import __version__
from ..core.errors import GradganError, LostRankError, NonFiniteError, SickRunError
from ..core.launch import launched
from ..core.stopping import Interrupted, Terminated


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; exit codes: 2 bad input, told in one line; 3 a sick run; 4 another process of the job was
    lost; 130 Ctrl-C; 143 SIGTERM."""
    import tyro

    from . import commands

    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if arguments == ["--version"]:
        print(f"gradgan {__version__}")
        return
    try:
        _for_several(arguments)
        tyro.extras.subcommand_cli_from_dict(
            commands.COMMANDS,
            prog="gradgan",
            description=f"GANs with their gradients kept in hand, {__version__}. Begin with: gradgan train digits",
            args=arguments,
            config=(tyro.conf.FlagCreatePairsOff,),
        )
    except LostRankError as error:
        _leave(str(error), error.exit_code, echo=True)
    except (NonFiniteError, SickRunError) as error:
        _leave(str(error), 3)
    except GradganError as error:
        _leave(str(error), 2)
    except (Interrupted, Terminated) as stop:
        _leave(str(stop), stop.exit_code)
    except KeyboardInterrupt:
        _leave("interrupted.", 130)
    except BrokenPipeError:
        # The reader of our output (head, less) has gone; that is no error of ours.
        sys.stderr.close()


def _for_several(arguments: Sequence[str]) -> None:
    """Under torchrun, refuse the commands that every process would do once more."""
    if launched().size > 1 and arguments[:1] != ["train"] and arguments[:2] != ["bench", "ranks"]:
        raise GradganError(
            f"torchrun started {launched().size} processes for gradgan {' '.join(arguments[:2])}; only `train` and "
            "`bench ranks` are shared by several. Start this command without torchrun."
        )


def _leave(message: str, code: int, *, echo: bool = False) -> NoReturn:
    if "MASTER_ADDR" in os.environ:  # torchrun's processes agree on who tells
        from ..training.parallel import tell

        tell(message, echo=echo)
    else:
        print(f"gradgan: {message}", file=sys.stderr)
    sys.exit(code)

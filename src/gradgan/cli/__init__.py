"""The command line: words to calls, nothing else. Importing it loads neither torch nor matplotlib."""

import os
import sys
from collections.abc import Sequence

from ..core.errors import GradganError, LostRankError, NonFiniteError
from ..core.launch import launched


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; bad input is one line on stderr and exit code 2, a run that diverged 3, a process of the job that
    was lost 4, an interrupt 130."""
    import tyro

    from . import commands

    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        _for_several(arguments)
        tyro.extras.subcommand_cli_from_dict(
            commands.COMMANDS,
            prog="gradgan",
            description="Train GANs whose gradients are kept in hand. Begin with: gradgan train digits",
            args=arguments,
            config=(tyro.conf.FlagCreatePairsOff,),
        )
    except LostRankError as error:
        _leave(str(error), error.exit_code, echo=True)
    except NonFiniteError as error:
        _leave(str(error), 3)
    except GradganError as error:
        _leave(str(error), 2)
    except KeyboardInterrupt:
        _leave("interrupted; the last checkpoint is kept. Go on with the same command and --resume.", 130)
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


def _leave(message: str, code: int, *, echo: bool = False) -> None:
    if "MASTER_ADDR" in os.environ:  # torchrun's processes agree on who tells
        from ..training.parallel import tell

        tell(message, echo=echo)
    else:
        print(f"gradgan: {message}", file=sys.stderr)
    sys.exit(code)

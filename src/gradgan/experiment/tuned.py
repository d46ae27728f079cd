"""From a study's folder to the config that it chose; reads its answer.json and nothing else."""

import json
from pathlib import Path

from ..core.errors import GradganError
from .config import Config
from .reading import from_yaml, override


def tuned_config(study: str | Path) -> Config:
    """The study's config with the values that it chose. Raises GradganError where there is no answer, or an empty one.

    Steps are those of the study's runs.
    """
    path = Path(study) / "answer.json"
    try:
        answer = json.loads(path.read_text(encoding="utf-8"))
        text, settings = answer["config"], answer["settings"]
    except OSError as error:
        raise GradganError(f"{study} holds no answer of gradgan tune ({error.strerror or error}).") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise GradganError(f"{path} is damaged ({error}); the same gradgan tune command writes it again.") from None
    if settings is None:
        raise GradganError(f"{study} chose nothing: no trial came to its end with numbers.")
    if not isinstance(text, str) or not isinstance(settings, list) or not all(isinstance(s, str) for s in settings):
        raise GradganError(f"{path} is damaged; the same gradgan tune command writes it again.")
    return override(from_yaml(text, source=str(path)), settings, source=str(path))

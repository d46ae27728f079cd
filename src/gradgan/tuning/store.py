"""Where a study lies: SQLite in its folder, a journal file, or a database by URL; every failure told in one line."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.trial import FrozenTrial, TrialState

from ..core.errors import GradganError
from .owners import Silence, is_gone
from .plan import Plan, plan_from_json, plan_to_json, refuse_other

_SCHEMES = ("sqlite", "postgresql", "mysql")
_PATIENCE = 60.0
"""Seconds that a writer waits for the other writers of an SQLite file."""

optuna.logging.set_verbosity(optuna.logging.ERROR)


class UnreachableError(GradganError):
    """The storage cannot be reached, now."""


def shown(where: str) -> str:
    """A storage as it may be printed: without a password."""
    return re.sub(r"(://[^:/@]*):[^/]*@", r"\1:***@", where)


@contextmanager
def reaching(where: str) -> Iterator[None]:
    """Tell what a storage has to complain of in one line."""
    try:
        yield
    except (GradganError, ImportError):
        raise
    except Exception as error:
        # SQLAlchemy, its drivers and the disk each have errors of their own; all mean that the study is out of reach.
        from sqlalchemy.exc import SQLAlchemyError

        known = (SQLAlchemyError, OSError, optuna.exceptions.StorageInternalError)
        if not isinstance(error, known):
            raise
        cause = getattr(error, "orig", None) or error.__cause__ or error
        first = next((line.strip() for line in str(cause).splitlines() if line.strip()), type(error).__name__)
        raise UnreachableError(f"the storage {shown(where)} cannot be reached: {shown(first)}") from error


def open_storage(where: str) -> BaseStorage:
    """The storage: a URL, FILE.db (SQLite) or FILE.journal. Raises GradganError where it cannot be had."""
    url = re.match(r"(\w+)(\+\w+)?://", where)
    if url and url[1] not in _SCHEMES:
        raise GradganError(f"storage {shown(where)}: wanted postgresql+psycopg://, mysql:// or sqlite:///FILE.")
    if not url and Path(where).suffix not in (".db", ".journal"):
        raise GradganError(f"storage {where}: wanted FILE.db (SQLite), FILE.journal, or a URL.")
    with reaching(where):
        if not url and where.endswith(".journal"):
            from optuna.storages.journal import JournalFileBackend

            return JournalStorage(JournalFileBackend(where))
        address = where if url else f"sqlite:///{Path(where).absolute()}"
        sqlite = address.startswith("sqlite")
        options: dict[str, Any] = {"connect_args": {"timeout": _PATIENCE}} if sqlite else {"pool_pre_ping": True}
        try:
            return RDBStorage(address, engine_kwargs=options)
        except ImportError as missing:
            raise GradganError(
                f"storage {shown(where)} wants a driver that is not here ({missing.name or missing}). "
                "For PostgreSQL: pip install 'gradgan[postgresql]' and a URL postgresql+psycopg://..."
            ) from None
        except ValueError as error:
            raise GradganError(f"storage {shown(where)} is no URL of a database: {error}.") from None


def close(storage: BaseStorage) -> None:
    """Hang up on a database."""
    backend = getattr(storage, "_backend", storage)
    if isinstance(backend, RDBStorage):
        backend.remove_session()
        backend.engine.dispose()


class Study:
    """A study in its storage, and what is done with its trials beside what Optuna does. Close it, or use `with`."""

    def __init__(self, where: str, name: str, study: optuna.Study) -> None:
        """For `create_or_join` and `open_study`."""
        self.where, self.name, self.optuna = where, name, study
        self._silence = Silence()

    def __enter__(self) -> "Study":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up on the storage."""
        close(self._storage)

    @property
    def _storage(self) -> BaseStorage:
        return self.optuna._storage

    def trials(self, *states: TrialState) -> list[FrozenTrial]:
        """Its trials as they stand now, in any of these states."""
        with reaching(self.where):
            return self.optuna.get_trials(deepcopy=False, states=states or None)

    def plan(self) -> Plan:
        """Its plan."""
        with reaching(self.where):
            told = self.optuna.user_attrs.get("plan")
        if not isinstance(told, str):
            raise GradganError(f"study {self.name} in {shown(self.where)} is none of gradgan's; choose another --out.")
        return plan_from_json(told)

    def note(self, trial: FrozenTrial | int, **facts: Any) -> None:
        """Write facts beside a trial that runs."""
        number = trial if isinstance(trial, int) else trial._trial_id
        for key, value in facts.items():
            self._storage.set_trial_user_attr(number, key, value)

    def end(self, trial: FrozenTrial, state: TrialState, value: float | None = None) -> bool:
        """End a running trial; False where somebody else has ended it meanwhile."""
        try:
            return self._storage.set_trial_state_values(trial._trial_id, state, None if value is None else [value])
        except optuna.exceptions.UpdateFinishedTrialError:
            return False

    def queue(self, params: dict[str, Any], **facts: Any) -> None:
        """A trial that the next worker to ask will be given."""
        self.optuna.enqueue_trial(params, user_attrs=facts)

    def give_back(self, lost: Callable[[FrozenTrial], bool], *, forgiven: bool = False) -> None:
        """Mark running trials that are `lost` as failed, and queue each once more; a second time it is left failed.

        `forgiven`: they were stopped on purpose, which does not count.
        """
        with reaching(self.where):
            for trial in self.trials(TrialState.RUNNING):
                if lost(trial):
                    self._give_back(trial, forgiven=forgiven)

    def _give_back(self, trial: FrozenTrial, *, forgiven: bool) -> None:
        facts = trial.user_attrs
        losses = int(facts.get("losses", 0)) + (0 if forgiven else 1)
        again = losses < 2
        try:
            self.note(trial, lost=True, final=not again)
        except optuna.exceptions.UpdateFinishedTrialError:
            return
        if self.end(trial, TrialState.FAIL) and again:
            # Of a trial that was lost before it began, what it was queued with.
            params = trial.params or trial.system_attrs.get("fixed_params", {})
            kept = {key: facts[key] for key in (("kind",) if params else ("kind", "settings")) if key in facts}
            self.queue(params, **kept, losses=losses, retry_of=trial.number)

    def reap(self) -> None:
        """Give back the trials whose processes are gone, here, or have been silent too long, elsewhere."""
        self.give_back(lambda t: "owner" in t.user_attrs and self._is_lost(t))

    def _is_lost(self, trial: FrozenTrial) -> bool:
        return is_gone(trial.user_attrs["owner"]) or self._silence(trial.number, trial.user_attrs.get("beat"))


def is_over(trial: FrozenTrial) -> bool:
    """Does the trial count as done: with a value, or failed for good?"""
    if trial.state in (TrialState.COMPLETE, TrialState.PRUNED):
        return True
    return trial.state == TrialState.FAIL and bool(trial.user_attrs.get("final"))


def create_or_join(where: str, name: str, plan: Plan, queue: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> Study:
    """The study of this name: a new one, with these (params, facts) queued, or the one that is there, of this plan."""
    storage = open_storage(where)
    with reaching(where):
        try:
            made = optuna.create_study(storage=storage, study_name=name, direction="minimize")
        except optuna.exceptions.DuplicatedStudyError:
            study = open_study(where, name, storage)
            try:
                refuse_other(study.plan(), plan, name=name)
            except GradganError:
                study.close()
                raise
            return study
        made.set_user_attr("plan", plan_to_json(plan))
        study = Study(where, name, made)
        for params, facts in queue:
            study.queue(params, **facts)
    return study


def open_study(where: str, name: str, storage: BaseStorage | None = None) -> Study:
    """A study that is there. Raises GradganError where there is none."""
    storage = storage or open_storage(where)
    with reaching(where):
        try:
            return Study(where, name, optuna.load_study(storage=storage, study_name=name))
        except KeyError:
            close(storage)
            raise GradganError(f"{shown(where)} holds no study {name!r}.") from None

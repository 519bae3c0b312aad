"""Callbacks of training libraries, which record what these report.

    from projrun.log import callbacks

    model.fit(x, y, callbacks=[callbacks.keras()])

A library is imported when its callback is asked for, not before.
"""

from __future__ import annotations

import sys

from .environment import module, never_raises
from .runs import current_run, log_metric, log_metrics, log_params

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

__all__ = ["keras", "lightning", "sklearn", "transformers"]


def sklearn(scoring: str | Callable[..., float] | None = None) -> ScikitLearn:
    """For `estimator.set_callbacks(…)` (scikit-learn 1.9), or for `monitor=` of a gradient boosting's `fit`.

    It records the estimator's parameters, the score on the training data, and what a search found best. With
    `scoring`, a name or a function of scikit-learn's, that score after each step of the fit as well.
    """
    return _Scored(scoring) if scoring else ScikitLearn()


class ScikitLearn:
    """Has the methods of scikit-learn's protocol `FitCallback`; works in processes that it starts, too."""

    def __init__(self) -> None:
        self._run_id = ""

    @never_raises
    def setup(self, estimator: Any, context: Any) -> None:
        """A fit begins."""
        run = current_run()
        self._run_id = run.info.run_id
        log_params(estimator.get_params(deep=True), run_id=self._run_id)

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Records nothing."""

    def on_fit_task_end(
        self, estimator: Any, context: Any, *, X: Any = None, y: Any = None, fitted_estimator: Any = None
    ) -> bool:
        """The whole fit, or a step of it, has ended."""
        self._record(context, X, y, fitted_estimator)
        return False  # go on

    @never_raises
    def _record(self, context: Any, x: Any, y: Any, fitted: Any) -> None:
        if context.parent is None and x is not None and hasattr(fitted, "score"):
            log_metric("training_score", fitted.score(x, y), run_id=self._run_id)

    @never_raises
    def teardown(self, estimator: Any, context: Any) -> None:
        """The fit has ended."""
        best = getattr(estimator, "best_params_", None)
        if best:
            log_params({f"best_{name}": value for name, value in best.items()}, run_id=self._run_id)
            log_metric("best_cv_score", estimator.best_score_, run_id=self._run_id)

    @never_raises
    def __call__(self, step: int, estimator: Any, local: Mapping[str, Any]) -> bool:
        """A stage of a gradient boosting."""
        if step == 0:
            log_params(estimator.get_params())
        log_metric("train_score", estimator.train_score_[step], step=step)
        return False


class _Scored(ScikitLearn):
    """Scores each step."""

    def __init__(self, scoring: str | Callable[..., float]) -> None:
        super().__init__()
        self._scoring = scoring

    @never_raises
    def _record(self, context: Any, x: Any, y: Any, fitted: Any) -> None:
        super()._record(context, x, y, fitted)
        if context.parent is not None and context.max_subtasks == 0 and x is not None and fitted is not None:
            scorer = module("sklearn.metrics").check_scoring(fitted, scoring=self._scoring)
            name = self._scoring if isinstance(self._scoring, str) else "score"
            step = context.task_id if isinstance(context.task_id, int) else 0
            log_metric(f"training_{name}", scorer(fitted, x, y), step=step, run_id=self._run_id)


def keras(every_n_steps: int | None = None) -> Any:
    """For `callbacks=` of Keras: the optimizer's parameters, and the metrics of each epoch, or of each `n` steps."""
    base = (sys.modules.get("keras") or sys.modules.get("tensorflow.keras") or module("keras")).callbacks

    class Keras(base.Callback):  # type: ignore[misc, name-defined]  # of whichever Keras there is
        """Has the names of MLflow's callback."""

        _step = 0

        @never_raises
        def on_train_begin(self, logs: Any = None) -> None:
            config = self.model.optimizer.get_config()
            params = {name: value for name, value in self.params.items() if name in ("epochs", "steps")}
            log_params({**params, **{f"optimizer_{name}": value for name, value in config.items()}})

        @never_raises
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self._step += 1
            if every_n_steps and self._step % every_n_steps == 0:
                log_metrics(logs or {}, step=self._step)

        @never_raises
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if not every_n_steps:
                log_metrics(logs or {}, step=epoch)

        @never_raises
        def on_test_end(self, logs: Any = None) -> None:
            log_metrics({f"validation_{name}": value for name, value in (logs or {}).items()})

    return Keras()


def transformers() -> Any:
    """For `callbacks=` of Hugging Face's `Trainer`: its arguments, the model's configuration, and what it logs."""
    base = module("transformers").TrainerCallback

    class Transformers(base):  # type: ignore[misc, valid-type]
        """Only the first process records."""

        @never_raises
        def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **more: Any) -> None:
            if state.is_world_process_zero:
                config: Any = getattr(model, "config", None)
                known = config.to_dict() if config is not None else {}
                log_params({**known, **args.to_dict()})

        @never_raises
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **more: Any) -> None:
            if state.is_world_process_zero:
                numbers = {
                    name: value for name, value in (logs or {}).items() if isinstance(value, (int, float))
                }
                log_metrics(numbers, step=state.global_step)

    return Transformers()


def lightning(every_n_steps: int | None = None) -> Any:
    """For `callbacks=` of Lightning's `Trainer`: the module's and optimizer's parameters, and metrics."""
    names = ("lightning.pytorch", "pytorch_lightning")
    base = next((sys.modules[name] for name in names if name in sys.modules), None) or module(names[0])

    class Lightning(base.Callback):  # type: ignore[misc, name-defined]
        """Only the first process records."""

        @never_raises
        def on_train_start(self, trainer: Any, pl_module: Any) -> None:
            if trainer.is_global_zero:
                params = {"epochs": trainer.max_epochs, **dict(pl_module.hparams)}
                for optimizer in trainer.optimizers[:1]:
                    params.update(optimizer_name=type(optimizer).__name__, **optimizer.defaults)
                log_params(params)

        @never_raises
        def on_train_batch_end(self, trainer: Any, *about: Any) -> None:
            if every_n_steps and trainer.global_step % every_n_steps == 0:
                self._record(trainer, trainer.global_step)

        @never_raises
        def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
            if not every_n_steps:
                self._record(trainer, trainer.current_epoch)

        @never_raises
        def on_test_end(self, trainer: Any, pl_module: Any) -> None:
            self._record(trainer, trainer.current_epoch)

        def _record(self, trainer: Any, step: int) -> None:
            if trainer.is_global_zero:
                log_metrics(trainer.callback_metrics, step=step)

    return Lightning()

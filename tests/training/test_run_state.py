"""The numbers of a training, and what a divergence takes back."""

from charrnn.training.run_state import RunState


def validated(state: RunState, step: int, loss: float) -> None:
    state.step = step
    state.note_validation(loss)
    state.history.append({"step": step, "loss": 2 * loss, "validation_loss": loss})


def test_a_divergence_takes_back_the_validations_after_the_good_step() -> None:
    """Otherwise they would count against the patience of the run that begins anew."""
    state = RunState()
    validated(state, 10, 1.0)
    validated(state, 20, 1.5)
    state.good_step = 20
    for step in (30, 40, 50):
        validated(state, step, 3.0)
    assert state.stale == 4
    state.go_back()
    assert (state.step, state.stale, state.validation_loss) == (20, 1, 1.5)
    assert (state.best_loss, state.best_step) == (1.0, 10)
    assert state.smoothed_loss == 3.0
    assert [entry["step"] for entry in state.history] == [10, 20]


def test_a_best_loss_after_the_good_step_is_forgotten() -> None:
    state = RunState()
    validated(state, 10, 1.0)
    validated(state, 20, 0.5)
    state.good_step = 10
    state.go_back()
    assert (state.best_loss, state.best_step, state.stale) == (None, 0, 0)
    assert state.validation_loss == 1.0


def test_the_record_is_the_state() -> None:
    state = RunState(step=20, stale=3, recoveries=2, smoothed_loss=1.5, good_step=10)
    record = state.to_record()
    assert (record["stale_looks"], record["rescues"], record["smoothed"]) == (3, 2, 1.5)
    assert RunState.from_record(record) == state


def test_the_good_state_of_an_older_record_is_the_one_at_hand() -> None:
    record = RunState(step=20).to_record()
    del record["good_step"]
    assert RunState.from_record(record).good_step == 20

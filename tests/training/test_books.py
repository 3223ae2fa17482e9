from __future__ import annotations

from pathlib import Path

from webscale_rl.training.books import COUNTS_FILE, Books, last_checkpoint, read_metrics


def checkpoint(folder: Path, step: int) -> Path:
    path = folder / "checkpoints" / f"checkpoint-{step}"
    path.mkdir(parents=True)
    (path / "weights").write_text("w")
    return path


def test_a_training_goes_on_from_the_last_checkpoint_that_was_written_to_its_end(tmp_path: Path) -> None:
    books = Books(tmp_path, None)
    books.counts.trained = 100
    whole = checkpoint(tmp_path, 8)
    books.mark(8)
    cut_short = checkpoint(tmp_path, 10)
    again = Books(tmp_path, None)
    assert again.checkpoint == whole == last_checkpoint(tmp_path)
    assert (again.counts.step, again.counts.trained) == (8, 100)
    assert not cut_short.exists()


def test_the_old_checkpoint_goes_when_the_new_one_is_whole(tmp_path: Path) -> None:
    books = Books(tmp_path, None)
    old, new = checkpoint(tmp_path, 9), checkpoint(tmp_path, 10)
    (old / COUNTS_FILE).write_text('{"step": 9}')
    books.mark(10)
    assert (old.exists(), new.exists()) == (False, True)


def test_metrics_of_steps_that_are_done_again_are_taken_out(tmp_path: Path) -> None:
    books = Books(tmp_path, None)
    for step in (1, 2, 3):
        books.log(step, 4, {"loss": 1.0 / step})
        if step == 2:
            checkpoint(tmp_path, 2)
            books.mark(2)
    with books.metrics.open("a") as file:
        file.write('{"step":4,"lo')  # a kill in the middle of a line
    again = Books(tmp_path, None)
    assert [line["step"] for line in read_metrics(again.metrics)] == [1, 2]


def test_without_a_checkpoint_the_metrics_begin_anew(tmp_path: Path) -> None:
    Books(tmp_path, None).log(1, 4, {"loss": 1.0})
    assert read_metrics(Books(tmp_path, None).metrics) == []


def test_what_is_no_number_is_null_in_the_metrics(tmp_path: Path) -> None:
    told: list[object] = []
    books = Books(tmp_path, told.append)
    books.log(1, 4, {"reward": float("nan"), "loss": 2, "note_of_theirs": object()})
    (line,) = read_metrics(books.metrics)
    assert (line["reward"], line["loss"], line["note_of_theirs"]) == (None, 2, None)
    assert told == [line]

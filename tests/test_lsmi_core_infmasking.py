"""InfMasking as an estimator: what it learns, how it is repeated, stopped, killed and taken up again."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from lsmi_core import InvalidInputError
from lsmi_core.fusion import training
from lsmi_core.fusion.tokens import Tokens
from lsmi_core.infmasking import InfMasking
from lsmi_core.synthetic import continuous_xor, gaussian_classes

DRAWN = continuous_xor(200, n_features=16)
QUICK = InfMasking(n_epochs=3, device="cpu")


def fused(model, **changes):
    model = clone(model).set_params(**changes)
    return model.fit(DRAWN.x1, DRAWN.x2).transform(DRAWN.x1, DRAWN.x2)


@pytest.fixture(autouse=True)
def every_epoch_is_kept(monkeypatch):
    monkeypatch.setattr(training, "EVERY", 0.0)


def test_what_both_modalities_show_is_still_there_after_fusion():
    drawn = gaussian_classes(600, n_classes=4, sigma=0.4)
    z = InfMasking(n_epochs=8, device="cpu").fit(drawn.x1, drawn.x2).transform(drawn.x1, drawn.x2)
    assert z.shape == (600, 40)
    probe = LogisticRegression(max_iter=1000).fit(z[:400], drawn.y[:400])
    assert probe.score(z[400:], drawn.y[400:]) > 0.85


def test_the_loss_falls():
    losses = clone(QUICK).set_params(n_epochs=6).fit(DRAWN.x1, DRAWN.x2).losses_
    assert len(losses) == 6
    assert losses[-1] < losses[0] - 0.3


@pytest.mark.parametrize("objective", ["infmasking", "comm", "contrast"])
def test_one_seed_repeats_it_and_another_does_not(objective):
    first, again, other = (fused(QUICK, objective=objective, random_state=seed) for seed in (1, 1, 2))
    assert first.shape == (200, 80 if objective == "contrast" else 40)
    assert (first == again).all()
    assert (first != other).any()


def test_the_unit_of_a_modality_does_not_matter():
    moved = clone(QUICK).fit(1024 * DRAWN.x1, DRAWN.x2).transform(1024 * DRAWN.x1, DRAWN.x2)
    assert (moved == fused(QUICK)).all()  # a power of two: no rounding


def test_sequences_of_different_lengths_are_fused_and_their_padding_is_not_read():
    rng = np.random.default_rng(0)
    values, real = rng.standard_normal((60, 9, 6)), np.arange(9) < rng.integers(1, 10, size=60)[:, None]
    one = Tokens(values, real)
    two = Tokens(np.where(real[..., None], values, 1e6), real)
    x2 = rng.standard_normal((60, 32))
    results = [clone(QUICK).fit(x1, x2).transform(x1, x2) for x1 in (one, two)]
    assert (results[0] == results[1]).all()


def test_a_saved_state_gives_the_same_vectors_bit_for_bit():
    model = clone(QUICK).fit(DRAWN.x1, DRAWN.x2)
    loaded = InfMasking.from_state(*model.state(), device="cpu")
    assert (loaded.transform(DRAWN.x1, DRAWN.x2) == model.transform(DRAWN.x1, DRAWN.x2)).all()


class StopHereError(Exception):
    pass


def test_a_cancelled_training_goes_on_where_it_stopped(tmp_path):
    def cancel(done, total):
        if done == 5:  # in the second of three epochs of three steps
            raise StopHereError

    kept = clone(QUICK).set_params(checkpoint=tmp_path / "kept.pt")
    with pytest.raises(StopHereError):
        kept.fit(DRAWN.x1, DRAWN.x2, progress=cancel)
    seen = []
    again = kept.fit(DRAWN.x1, DRAWN.x2, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 9) for done in range(3, 10)]
    assert (again.transform(DRAWN.x1, DRAWN.x2) == fused(QUICK)).all()
    assert len(again.losses_) == 3


KILLED = """
import os, signal, sys
from lsmi_core.fusion import training
from lsmi_core.infmasking import InfMasking
from lsmi_core.synthetic import continuous_xor
training.EVERY = 0.0
drawn = continuous_xor(200, n_features=16)
def kill(done, total):
    if done == 7:
        os.kill(os.getpid(), signal.SIGKILL)
InfMasking(n_epochs=3, device="cpu", checkpoint=sys.argv[1]).fit(drawn.x1, drawn.x2, progress=kill)
"""


def test_a_killed_training_goes_on_where_it_stopped(tmp_path):
    path = tmp_path / "kept.pt"
    done = subprocess.run([sys.executable, "-c", KILLED, path], cwd=Path(__file__).parent.parent)
    assert done.returncode == -9
    assert [p.name for p in tmp_path.iterdir()] == ["kept.pt"]
    assert len(torch.load(path, weights_only=True)["losses"]) == 2
    seen = []
    resumed = clone(QUICK).set_params(checkpoint=path)
    resumed.fit(DRAWN.x1, DRAWN.x2, progress=lambda done, total: seen.append(done))
    assert seen == [6, 7, 8, 9]
    whole = clone(QUICK).fit(DRAWN.x1, DRAWN.x2)
    # not to the bit: another process may add numbers up in another order
    np.testing.assert_allclose(resumed.losses_, whole.losses_, rtol=1e-3)


def test_a_checkpoint_of_other_data_or_a_broken_one_is_refused_and_stays(tmp_path):
    path = tmp_path / "kept.pt"
    fused(QUICK, checkpoint=path)
    before = path.read_bytes()
    with pytest.raises(InvalidInputError, match=r"'kept.pt' belongs to other data or settings; name another file"):
        fused(QUICK, checkpoint=path, temperature=0.2)
    assert path.read_bytes() == before
    path.write_bytes(before[:1000])
    with pytest.raises(InvalidInputError, match=r"'kept.pt' cannot be read; delete it"):
        fused(QUICK, checkpoint=path)


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"objective": "clip"}, "'objective' parameter of InfMasking must be a str among {'infmasking', 'comm', 'con"),
        ({"mask_share": 1.0}, r"'mask_share' parameter of InfMasking must be a number in the range \[0, 1\)"),
        ({"n_masks": 0}, "'n_masks' parameter"),
        ({"n_epochs": 2.5}, "'n_epochs' parameter"),
        ({"batch_size": 1}, "'batch_size' parameter"),
        ({"temperature": 0}, "'temperature' parameter"),
        ({"width": 36}, "The width must be a multiple of n_heads. Got 36 and 8."),
        ({"device": "tpu"}, "'device' parameter"),
    ],
)
def test_what_cannot_be_used_is_told_in_a_sentence(parameters, told):
    with pytest.raises(InvalidInputError, match=told):
        clone(QUICK).set_params(**parameters).fit(DRAWN.x1, DRAWN.x2)


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(InvalidInputError, match="the same number of rows: x1 has 200, x2 has 199"):
        clone(QUICK).fit(DRAWN.x1, DRAWN.x2[1:])
    with pytest.raises(InvalidInputError, match="at least 2 are needed"):
        clone(QUICK).fit(DRAWN.x1[:1], DRAWN.x2[:1])
    with pytest.raises(NotFittedError):
        clone(QUICK).transform(DRAWN.x1, DRAWN.x2)
    model = clone(QUICK).fit(DRAWN.x1, DRAWN.x2)
    with pytest.raises(InvalidInputError, match="x2 has 8 tokens of 1 features but fit saw 16 of 1"):
        model.transform(DRAWN.x1, DRAWN.x2[:, :8])

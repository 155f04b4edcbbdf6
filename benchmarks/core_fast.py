"""How fast: against the published protocol, with growing data, on other devices."""

from __future__ import annotations

import time
from unittest.mock import patch

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.core_regimes import areas, fit_published
from benchmarks.report import in_own_process, table
from lsmi_core import FIELDS, LSMIEstimator
from lsmi_core.interactions import INGREDIENTS
from lsmi_core.redundancy import REDUNDANCIES
from lsmi_core.synthetic import planted_regimes

N, D, C = 10_000, 64, 10


BASELINE = """
import json, sys, time
from unittest.mock import patch
import torch
from benchmarks.published import published_fit_score
from lsmi_core.synthetic import planted_regimes
n, d, c, threads, loader = (int(a) for a in sys.argv[1:])
torch.set_num_threads(threads)
def by_loader(n, size, generator, device):
    return torch.utils.data.DataLoader(range(n), batch_size=size, shuffle=True, generator=generator)
drawn = planted_regimes(n, n_classes=c, n_features=d, random_state=1)
begun = time.perf_counter()
if loader:
    with patch("benchmarks.published.minibatches", by_loader), patch("lsmi_core.published.minibatches", by_loader):
        published_fit_score(drawn.x1, drawn.x2, drawn.y, c)
else:
    published_fit_score(drawn.x1, drawn.x2, drawn.y, c)
print(json.dumps(time.perf_counter() - begun))
"""


def speed() -> str:
    """Return the section on a full default run against one fit of the published protocol."""
    drawn = planted_regimes(N, n_classes=C, n_features=D, random_state=1)
    seconds, result = _best(lambda: _full_run(drawn), 7)
    lean = min(in_own_process(BASELINE, N, D, C, threads, 0) for threads in (1, 2))
    fed = min(in_own_process(BASELINE, N, D, C, threads, 1) for threads in (1, 2))
    again, _ = _best(lambda: _full_run(drawn), 7)
    seconds = min(seconds, again)
    ours = areas(result.redundancy, result.ingredients(), drawn.regime)
    published = areas("lsmi", fit_published(drawn.x1, drawn.x2, drawn.y), drawn.regime)
    rate, work = _product_rate(), _operations()
    rows = [
        ["this estimator, full default run", f"{seconds:.2f} s", "", f"{ours.mean():.4f}"],
        ["published protocol, one fit", f"{lean:.1f} s", f"{lean / seconds:.0f}", f"{published.mean():.4f}"],
        ["the same, batches drawn by torch's DataLoader", f"{fed:.1f} s", f"{fed / seconds:.0f}", ""],
    ]
    return (
        f"n={N:,}, d={D} each, C={C}: five folds, all heads and densities, all redundancies, standard errors off. "
        "Best of 14 runs; the published protocol in a process of its own, the better of one and two threads.\n\n"
        + table(["", "time", "times as long", "mean AUROC"], rows)
        + f"\n\nFloor: the run's matrix products are {work / 1e9:.0f} billion operations, {work / rate:.2f} s at the "
        f"{rate / 1e9:.0f} billion a second that 256 x 256 products reach here on {torch.get_num_threads()} cores; the "
        f"run takes {seconds * rate / work:.1f} times that. The rest is exponentials, reductions, memory, small steps."
    )


def _full_run(drawn: object) -> object:
    result = LSMIEstimator().fit_score(drawn.x1, drawn.x2, drawn.y)
    for measure in REDUNDANCIES:
        result.with_redundancy(measure)
    return result


def _best(run: object, times: int) -> tuple[float, object]:
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        result = run()
        taken.append(time.perf_counter() - begun)
    return min(taken), result


def _product_rate() -> float:
    a = torch.randn(256, 256)
    count = 2_000
    seconds, _ = _best(lambda: [a @ a for _ in range(count)], 3)
    return count * 2 * 256**3 / seconds


def _operations() -> float:
    """Count the multiplications and additions of all of torch's matrix products in one run."""
    drawn = planted_regimes(N, n_classes=C, n_features=D, random_state=1)
    # The counter sees its own thread alone, so the run's tasks take turns in it.
    in_turn = patch("lsmi_core.pair.side_by_side", lambda f, tasks, on_done: [f(t) for t in tasks])
    with in_turn, FlopCounterMode(display=False) as told:
        LSMIEstimator().fit_score(drawn.x1, drawn.x2, drawn.y)
    return float(told.get_total_flops())


GROWTH = """
import json, resource, sys, time
import numpy as np
from lsmi_core import LSMIEstimator
n, d, c = (int(a) for a in sys.argv[1:])
rng = np.random.default_rng(0)
y = rng.permutation(n) % c
centres = (rng.normal(size=(2, c, d)) * 4 / np.sqrt(d)).astype(np.float32)
x = [np.take(centres[k], y, axis=0) + rng.standard_normal((n, d), dtype=np.float32) for k in range(2)]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
seconds = []
for _ in range(3 if n <= 20_000 else 1):
    begun = time.perf_counter()
    LSMIEstimator().fit_score(*x, y)
    seconds.append(time.perf_counter() - begun)
print(json.dumps([min(seconds), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20]))
"""


def _grown(n: int, d: int, c: int) -> tuple[float, float]:
    """Return seconds and peak memory in GiB of one run in a process of its own, its data included."""
    return tuple(in_own_process(GROWTH, n, d, c))


def growth() -> str:
    """Return the section on time and memory with more samples, columns and classes."""
    sizes = (1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000)
    taken = [_grown(n, 64, 10) for n in sizes]
    slope = np.polyfit(np.log(sizes), np.log([t for t, _ in taken]), 1)[0]
    last = np.polyfit(np.log(sizes[3:]), np.log([t for t, _ in taken[3:]]), 1)[0]
    parts = [
        f"d=64, C=10; log-log slope {slope:.2f} over all sizes, {last:.2f} from 10,000 on.\n\n"
        + table(
            ["n", "seconds", "peak GiB"],
            [[f"{n:,}", f"{t:.2f}", f"{m:.2f}"] for n, (t, m) in zip(sizes, taken, strict=True)],
        )
    ]
    for name, runs in {
        "n=10,000, C=10": [(10_000, d, 10) for d in (16, 64, 256, 512, 1_024)],
        "n=10,000, d=64": [(10_000, 64, c) for c in (2, 10, 40, 200, 1_000)],
        "the largest": [(200_000, 512, 10)],
    }.items():
        rows = [[f"{n:,}", f"{d:,}", f"{c:,}", *(f"{v:.2f}" for v in _grown(n, d, c))] for n, d, c in runs]
        parts.append(f"{name}:\n\n" + table(["n", "d", "C", "seconds", "peak GiB"], rows))
    return "\n\n".join(parts)


def devices() -> str:
    """Return the section on other devices: the same answers as on the processor, or that none is there."""
    there = [
        name
        for name, found in (("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available()))
        if found
    ]
    if not there:
        return "No CUDA device and no Apple GPU was there: those paths were not run."
    drawn = planted_regimes(N, n_classes=C, n_features=D, random_state=1)
    base = LSMIEstimator(device="cpu").fit_score(drawn.x1, drawn.x2, drawn.y)
    rows = []
    for device in there:
        seconds, other = _best(lambda d=device: LSMIEstimator(device=d).fit_score(drawn.x1, drawn.x2, drawn.y), 3)
        largest = max(float(np.abs(getattr(base, f) - getattr(other, f)).max()) for f in (*INGREDIENTS, *FIELDS))
        rows.append([device, f"{seconds:.2f} s", f"{largest:.1e}"])
    return table(["device", "time", "largest difference from the processor, nats"], rows)

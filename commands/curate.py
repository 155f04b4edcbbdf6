"""The commands ``partition`` and ``price``: what stays, and what leaving the rest out costs."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from commands.common import console, run_options
from commands.export import written
from curation.errors import DataError
from curation.plainly import one_line

if TYPE_CHECKING:
    from curation.exploring import PartitionRecipe, Samples
    from curation.recommending import Price
    from curation.settings import PriceSettings
    from curation.workspace import Workspace

__all__ = ["add_curating", "do_price"]


def add_curating(commands: argparse._SubParsersAction) -> None:
    """Add the commands to the parser."""
    partition = commands.add_parser("partition", help="split the samples into what stays and what leaves")
    run_options(partition)
    partition.add_argument("--by", default="redundancy",
                           help="redundancy, synergy, unique:NAME, i1, i2, i12, label_error, swapped_pair")  # fmt: skip
    _amounts(partition)
    partition.add_argument("--side", choices=("high", "low"), default="high", help="which end of the ranking stays")
    partition.add_argument("--balanced", action="store_true", help="the same share of every category")
    partition.add_argument("--minimum", type=int, default=0, metavar="N", help="so many of every category stay")
    partition.add_argument("--policy", metavar="NAME",
                           help="with --budget: recommended, random, or another that price lists")  # fmt: skip
    partition.add_argument("--out", type=Path, required=True, metavar="FILE", help="the samples that stay")
    partition.add_argument("--rest", type=Path, metavar="FILE", help="the samples that leave")
    partition.set_defaults(command=_partition)

    price = commands.add_parser("price", help="measure what leaving samples out costs, and print it")
    price.add_argument("run", type=Path, metavar="DIR", help="a workspace")
    price.add_argument("--run", dest="id", metavar="RUN", help="one of its runs (by default the latest)")
    price.add_argument("--budget", type=float, metavar="SHARE", help="one more share to keep, besides the usual ones")
    price.add_argument("--seed", type=int, help="another seed measures everything anew")
    price.set_defaults(command=_price)


def _amounts(partition: argparse.ArgumentParser) -> None:
    amount = partition.add_mutually_exclusive_group(required=True)
    amount.add_argument("--budget", type=float, metavar="SHARE", help="share that stays, between 0 and 1")
    amount.add_argument("--count", type=int, metavar="N", help="how many stay")
    amount.add_argument("--threshold", type=float, metavar="NATS", help="what is beyond this score stays")
    amount.add_argument("--quantile", type=float, metavar="Q", help="what is beyond this quantile stays")
    amount.add_argument("--groups", nargs="+", metavar="GROUP",
                        help="redundant, unique1, unique2, synergistic, misleading, unclear")  # fmt: skip
    amount.add_argument("--recipe", metavar="JSON", help="a recipe that the Curate page shows, or a file with one")


def _partition(arguments: argparse.Namespace) -> None:
    from curation.exploring import Samples, split
    from curation.exploring.sentences import recipe_told
    from curation.export import Choice, check_target
    from curation.partitioning import part_node
    from curation.workspace import open_run, tags_of

    workspace, run = open_run(arguments.run, arguments.id)
    samples = Samples(run, arguments.measure, tags_of(workspace, run.dataset))
    recipe = _recipe(arguments, samples)
    arguments.measure = recipe.measure or arguments.measure
    partition = split(recipe, samples)
    targets = {"selected": arguments.out} | ({"rest": arguments.rest} if arguments.rest else {})
    if arguments.rest and arguments.rest.resolve() == arguments.out.resolve():
        raise DataError(f"Both parts would go to {arguments.out}; give --out and --rest different files.")
    forms = {part: check_target(path) for part, path in targets.items()}
    for part in targets:
        if not partition.part(part).any():
            raise DataError(f"Nothing would {'stay' if part == 'selected' else 'leave'}; ask for another share.")
    for part, path in targets.items():
        written(arguments, Choice(part_node(recipe, part)), forms[part], path)
    print(f"{partition.count:,} of {partition.total:,} samples ({partition.share:.1%}) stay: "
          f"{recipe_told(recipe, run.modality_names)}. Written to {arguments.out}")  # fmt: skip


def _recipe(arguments: argparse.Namespace, samples: Samples) -> PartitionRecipe:
    """Return the recipe that the options describe, with a whole number of samples in place of a share."""
    from curation.exploring import PartitionRecipe
    from curation.words import quantity

    n, common = len(samples), {"measure": samples.measure, "minimum": arguments.minimum}
    if arguments.recipe is not None:
        return PartitionRecipe.from_json(_read(arguments.recipe))
    if arguments.groups is not None:
        return PartitionRecipe.from_json({"how": "groups", "groups": arguments.groups, "measure": samples.measure})
    if arguments.policy is not None:
        return _policy(arguments, samples, n)
    by = quantity(arguments.by, samples.run.modality_names)
    told = common | {"by": by, "side": arguments.side, "balanced": arguments.balanced}
    if arguments.threshold is not None:
        return PartitionRecipe.from_json(told | {"threshold": arguments.threshold})
    return PartitionRecipe.from_json(told | {"count": _count(arguments, n)})


def _count(arguments: argparse.Namespace, n: int) -> int:
    from curation.partitioning import share_of

    if arguments.count is not None:
        return arguments.count
    high = arguments.side == "high"
    share = arguments.budget if arguments.quantile is None else 1 - arguments.quantile if high else arguments.quantile
    if not 0 <= share <= 1:
        raise DataError(f"The share that stays must be between 0 and 1. Got {share:g} instead.")
    return share_of(share, n, of=1)


def _policy(arguments: argparse.Namespace, samples: Samples, n: int) -> PartitionRecipe:
    from curation.recommending import policy_recipe

    if arguments.budget is None:
        raise DataError("A policy keeps a share of the samples; give --budget.")
    count = _count(arguments, n)
    return replace(policy_recipe(samples.run, arguments.policy, count / n), count=count, measure=samples.measure)


def _read(text: str) -> object:
    try:
        return json.loads(text if text.lstrip().startswith("{") else Path(text).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise DataError("--recipe is no recipe in JSON, nor a file with one; the Curate page shows one.") from None


def _price(arguments: argparse.Namespace) -> None:
    from curation.jobs.price import price_settings
    from curation.recommending import price_of
    from curation.workspace import open_run

    if arguments.budget is not None and not 0 < arguments.budget < 1:
        raise DataError(f"The share to keep must be above 0 and below 1. Got {arguments.budget:g} instead.")
    workspace, run = open_run(arguments.run, arguments.id)
    settings = price_settings(run, arguments.budget, arguments.seed)
    if (run.price_told() or {}).get("settings") != settings.to_json():
        do_price(workspace, settings)
    _print(price_of(run))


def do_price(workspace: Workspace, settings: PriceSettings) -> None:
    """Measure the price of a run, or what is left of it, as a job that can be watched and resumed."""
    from curation.jobs import CatalogueProgress, job_in_this_process
    from curation.jobs.price import price_job
    from curation.pricing import measure_price
    from curation.progress import both

    job = price_job(settings.run)
    with job_in_this_process(workspace, settings, job), console() as shown:
        measure_price(settings, workspace, both(shown, CatalogueProgress(workspace, job)))


def _print(price: Price) -> None:
    """Print the share of right answers of every policy at every budget, then the advice."""
    from curation.recommending import ALL, POLICY_NAMES, POLICY_TITLES

    print(f"\nRight answers of a quick model that learns from what stays; from everything {price.value(ALL, 1.0):.1%}:")
    print(f"  {'what stays':44}" + "".join(f"{budget:>8.0%}" for budget in price.budgets))
    for policy, title in POLICY_TITLES.items():
        cells = (f"{price.value(policy, budget):>8.1%}" for budget in price.budgets)
        print(f"  {title:44}" + "".join(cells) + f"   {POLICY_NAMES.get(policy, '')}".rstrip())
    for budget in price.budgets:
        print(f"{budget:.0%}: {' '.join(map(one_line, price.advise(budget).sentences))}")

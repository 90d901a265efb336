"""Which prompts are the hardest to erase from a generator of digits? Every single prompt is erased and
scored, the search is asked, pairs are searched for beside a sample of all pairs and random ones.

    python benchmarks/prompts_worst_case.py --seeds 0 1 2 --out results/prompts_worst_case

Writes results.json after each seed; about four minutes a seed on one core. Seeds that are there already are
left as they are.
"""

import argparse
import itertools
import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from unlearn_nb.core import canonical, environment, timed
from unlearn_nb.diffusion.data import digits_prompts_dls
from unlearn_nb.diffusion.learner import prompts_learner
from unlearn_nb.diffusion.metrics import judge_of
from unlearn_nb.diffusion.worst_case import random_control, still_drawn
from unlearn_nb.recipe import train
from unlearn_nb.worst_case.exhaustive import regret
from unlearn_nb.worst_case.objective import score_set
from unlearn_nb.worst_case.search import worst_case

how = dict(lower="esd", lower_steps=40, lower_lr=1e-4)
draws = 3  # Of the lower level, for every set


def scored(learn, judge, sets):
    "Objective and the share that is still drawn, of each set; the hardest first"
    rows = []
    for s in sets:
        objective = score_set(learn, s, granularity="class", draws=draws, **how)
        drawn = np.mean([still_drawn(learn, s, judge, seed=k, **how) for k in range(draws)])
        rows.append({"set": list(s), "objective": objective, "drawn": float(drawn)})
    return sorted(rows, key=lambda r: r["objective"])


def ranked(found, rows):
    "Where a set that a search found stands among all"
    table = pd.DataFrame(rows).assign(set=[tuple(r["set"]) for r in rows])
    return regret(found, table)


def one_seed(seed, pairs):
    "All numbers of one generator"
    dls = digits_prompts_dls()
    learn = prompts_learner(dls, seed)
    with learn.no_bar(), learn.no_logging():
        train(learn, 20)
    judge, names = judge_of(dls), list(dls.vocab)
    singles = scored(learn, judge, [(p,) for p in names])
    one = worst_case(learn, n=1, granularity="class", seed=seed, **how)
    two = worst_case(learn, n=2, granularity="class", seed=seed, steps=20, **how)
    every = list(itertools.combinations(names, 2))
    some = [every[i] for i in np.random.RandomState(seed).choice(len(every), pairs, replace=False)]
    # the best pair of the best singles is a candidate that a search must not lose to
    best = tuple(sorted(r["set"][0] for r in singles[:2]))
    control = [tuple(s) for s in random_control(names, two.units, 2, draws=5, seed=seed)]
    tried = {tuple(sorted(s)) for s in (*some, best, *control, tuple(two.units))}
    tried = scored(learn, judge, sorted(tried))
    return {
        "seed": seed,
        "singles": singles,
        "search": {"found": one.units, **ranked(one.units, singles), "passes": one.diagnostics["passes"]},
        "pairs": tried,
        "pair search": {"found": two.units, **ranked(two.units, tried), "passes": two.diagnostics["passes"]},
        "random pairs": [list(s) for s in control],
    }


def main():
    p = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    p.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    p.add_argument("--pairs", type=int, default=30)
    p.add_argument("--out", type=Path, default=Path("results/prompts_worst_case"))
    a = p.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    file = a.out / "results.json"
    rows = json.loads(file.read_text())["rows"] if file.exists() else []
    with timed() as clock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed in sorted(set(a.seeds) - {r["seed"] for r in rows}):
            rows.append(one_seed(seed, a.pairs))
            res = {"schema": 1, "config": {**how, "draws": draws, "pairs": a.pairs}, "rows": rows}
            res["environment"] = environment()
            file.write_text(json.dumps(canonical(res), indent=1))
            print(seed, rows[-1]["search"], rows[-1]["pair search"], flush=True)
    print(f"{clock.cpu_seconds:.0f} CPU seconds")


if __name__ == "__main__":
    main()

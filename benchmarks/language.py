"""Do approximate methods bring the exposure of secrets to where models are that never read them?

A recurrent language model reads sentences among which ten people's codes stand, eight times each; three
people's codes must go, within a share of what retraining costs. Beside each model that forgot, three that
were trained again without the codes. One row per seed and model: exposure of the codes that go and of those
that stay (bits, means over people), perplexity on held-out sentences, share of the cost of retraining.

    python benchmarks/language.py --seeds 0 1 2 --out results/texts/language.json
"""

import argparse
import json
import warnings
from pathlib import Path

import torch

from unlearn_nb.all import environment, forget_group, language_learner, secret_dls, train
from unlearn_nb.core import canonical
from unlearn_nb.text.metrics import language_rates

holders = "ann", "bob", "cleo"
methods = "finetune", "ascent", "neggrad", "cfk", "euk", "l1_sparse", "scrub"


def measured(learn, split, **about):
    record = getattr(learn, "unlearn_record", None)
    share = {} if record is None else {"share": record.share, "seconds": record.seconds}
    return {**about, **language_rates(learn, split), **share}


def rows_of(seed, a):
    "One seed: the original, three retrained models and every method"
    dls = secret_dls(seed=seed)
    learn = language_learner(dls, "awd_lstm", seed=seed)
    with learn.no_bar(), learn.no_logging():
        train(learn, a.epochs, lr=a.lr)
    split = forget_group(dls, "holder", *holders)
    yield measured(learn, split, seed=seed, method="original")
    for s in (100, 200, 300):
        yield measured(learn.unlearn(split, "retrain", seed=seed + s), split, seed=seed, method="retrain")
    for m in methods:
        yield measured(learn.unlearn(split, m, seed=seed, budget=a.budget), split, seed=seed, method=m)


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    p.add_argument("--epochs", type=int, default=25)
    p.add_argument("--lr", type=float, default=1e-2)
    p.add_argument("--budget", type=float, default=0.3)
    p.add_argument("--out", type=Path)
    a = p.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    rows, config = [], {**vars(a), "out": None}
    for seed in a.seeds:
        for row in rows_of(seed, a):
            rows.append(row)
            print({k: round(v, 3) if isinstance(v, float) else v for k, v in row.items()}, flush=True)
            if a.out:
                said = {"config": config, "environment": environment(), "rows": rows}
                a.out.write_text(json.dumps(canonical(said), indent=1) + "\n")

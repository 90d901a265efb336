"""A client leaves: what retraining, FedEraser, projected ascent and fine-tuning cost, and how near they come

Ten clients have shares of the digits, drawn from a Dirichlet distribution (alpha .1: few classes each, 100:
all alike), and train together for twenty rounds. Then one leaves. In rows: the error on its samples (`UA`),
the accuracy on those that stay and on held-out ones (`RA`, `TA`), attacks on membership (`MIA`, `AUC`),
rounds, bytes and samples through the clients' networks. `retrain` is done twice, with two seeds, so that it
is known what the seed does: the second is `retrain again`. FedEraser calibrates with two epochs and ends with
one ordinary round of the others by default; `as published` with one epoch and without that round.

    python benchmarks/federated.py --out results/benchmarks/federated.json

Each leaving client is written when it is finished; the same command goes on where it stopped.
"""

import argparse
import json
import time
import warnings
from dataclasses import asdict
from pathlib import Path

from unlearn_nb import unlearn  # noqa: F401 brings `Learner.unlearn`
from unlearn_nb.core import environment, timed
from unlearn_nb.datasets import dataset_targets
from unlearn_nb.federated.data import deal_table, dirichlet_parts
from unlearn_nb.federated.learner import train_federated
from unlearn_nb.federated.methods import FedAscent, FedEraser, FedFineTune, FedRetrain
from unlearn_nb.federated.rounds import FederatedPlan, costs_of, forget_client
from unlearn_nb.metrics.attacks import attack_rates
from unlearn_nb.metrics.scores import measures
from unlearn_nb.outputs import collect
from unlearn_nb.vision.data import digits_dls
from unlearn_nb.vision.learner import image_learner

clients = 10
methods = {
    'retrain': (FedRetrain(), 1000), 'retrain again': (FedRetrain(), 2000), 'fed_eraser': (FedEraser(), 0),
    'fed_eraser, one epoch': (FedEraser(epochs=1), 0),
    'fed_eraser as published': (FedEraser(epochs=1, settle=0), 0),
    'fed_ascent': (FedAscent(), 0), 'fed_finetune': (FedFineTune(), 0),
}  # fmt: skip
shown = ['UA', 'RA', 'TA', 'MIA', 'AUC']


def original(alpha, seed, plan):
    "Loaders, and a network that clients have trained"
    dls = digits_dls(bs=16, seed=seed)
    parts = dirichlet_parts(dataset_targets(dls.train_ds), clients, alpha, seed=seed)
    with timed() as t:
        learn = train_federated(image_learner(dls, 'group_cnn', seed=seed), parts, plan)
    return learn, t.cpu_seconds


def scored(learn, split):
    "Rates and attacks of a model; its answers are collected once"
    outs = collect(learn, split)
    attacks = attack_rates(outs, split)
    return {**measures(learn, split, outs=outs), **{k: attacks[k] for k in ('MIA', 'AUC')}}


def leaving(alpha, seed, client, learn, spent):
    "All rows of one client that leaves"
    fed, split = learn.model.federation, forget_client(learn, client)
    counts = deal_table(learn.dls, list(fed.parts.values()))
    about = {
        'alpha': alpha, 'seed': seed, 'client': client, 'samples': len(split.forget_idxs),
        'of': len(learn.dls.train_ds), 'largest class': float((counts.loc[client] / counts.sum()).max()),
    }  # fmt: skip
    first = {**costs_of(fed.rounds), 'cpu_seconds': spent}
    rows = [{**about, 'method': 'original', **scored(learn, split), **first}]
    for name, (method, added) in methods.items():
        new = learn.unlearn(split, method, seed=seed + added)
        record = new.unlearn_record
        rows.append({**about, 'method': name, **scored(new, split), **record.details})
        rows[-1]['cpu_seconds'] = record.cpu_seconds
    return [{k: v for k, v in r.items() if k not in ('clients', 'left out')} for r in rows]


def write(out, plan, rows):
    "The file, after each client"
    command = 'python benchmarks/federated.py --out results/benchmarks/federated.json'
    found = {'command': command, 'environment': environment(), 'plan': asdict(plan), 'rows': rows}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(found, indent=1))


if __name__ == '__main__':
    p = argparse.ArgumentParser()
    p.add_argument('--alphas', type=float, nargs='+', default=[0.1, 1.0, 100.0])
    p.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    p.add_argument('--leaving', type=int, nargs='+', default=[0], help='clients, one at a time')
    p.add_argument('--minutes', type=float, default=60, help='stop after so many; the same command goes on')
    p.add_argument('--out', type=Path)
    a = p.parse_args()
    warnings.simplefilter('ignore')
    begin, plan = time.monotonic(), FederatedPlan()
    rows = json.loads(a.out.read_text())['rows'] if a.out and a.out.exists() else []
    for seed in a.seeds:
        for alpha in a.alphas:
            done = {r['client'] for r in rows if (r['alpha'], r['seed']) == (alpha, seed)}
            missing = [c for c in a.leaving if c not in done]
            if not missing or time.monotonic() - begin > 60 * a.minutes:
                continue
            learn, spent = original(alpha, seed, plan)
            for client in missing:
                rows += leaving(alpha, seed, client, learn, spent)
                for r in rows[-1 - len(methods) :]:
                    told = {k: r[k] for k in [*shown, 'rounds', 'cpu_seconds'] if r.get(k) is not None}
                    told = {k: round(v, 3) for k, v in told.items()}
                    print(alpha, seed, client, r['method'], told, flush=True)
                if a.out:
                    write(a.out, plan, rows)

"""How often does a judge recognise what a generator of digits draws, with a hundred drawings of each prompt?

A grid draws twenty, so that one prompt at 95 % is one drawing away from 90 or 100. Here are many drawings of
the same originals, begun with other noise, and two judges that were trained apart.

    python benchmarks/prompts_drawn.py --seeds 0 1 2 --out results/benchmarks/prompts_drawn.json

About a minute of one core for each seed. Seeds that are there already are left as they are.
"""

import argparse
import json
from pathlib import Path

import torch

from unlearn_nb.core import canonical, environment
from unlearn_nb.diffusion.data import digits_prompts_dls
from unlearn_nb.diffusion.learner import generate, prompts_learner
from unlearn_nb.diffusion.metrics import judge_of, judged, recognised_shares
from unlearn_nb.recipe import train

epochs, drawings, noise = 20, 100, 1  # noise: the seed that drawings begin with; grids begin with 0
judges = 0, 1  # Their seeds


def one_seed(seed, dls):
    "Shares by prompt of one generator, for each judge"
    learn = prompts_learner(dls, seed=seed)
    with learn.no_bar(), learn.no_logging():
        train(learn, epochs)
    pictures, labels = generate(learn, n=drawings, seed=noise)
    said = [judged(judge_of(dls, seed=k), pictures)[0] for k in judges]
    return {'seed': seed, 'shares': [recognised_shares(o, labels, dls.vocab) for o in said]}


def ceiling(dls):
    "What the judges recognise of real held-out pictures"
    x = torch.cat([b[0] for b in dls.valid])
    known = [judged(judge_of(dls, seed=k), x)[0] for k in judges]
    return [recognised_shares(o, dls.valid_ds.targets, dls.vocab) for o in known]


def main():
    p = argparse.ArgumentParser(description=__doc__.partition('\n\n')[0])
    p.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    p.add_argument('--out', type=Path, default=Path('results/benchmarks/prompts_drawn.json'))
    a = p.parse_args()
    rows = json.loads(a.out.read_text())['rows'] if a.out.exists() else []
    dls = digits_prompts_dls()
    for seed in sorted(set(a.seeds) - {r['seed'] for r in rows}):
        rows.append(one_seed(seed, dls))
        config = {'epochs': epochs, 'drawings': drawings, 'noise': noise, 'judges': list(judges)}
        res = {'config': config, 'real': ceiling(dls), 'rows': rows, 'environment': environment()}
        a.out.write_text(json.dumps(canonical(res), indent=1) + '\n')
        print(seed, *(min((v, k) for k, v in s.items()) for s in rows[-1]['shares']), flush=True)


if __name__ == '__main__':
    main()

"""A last batch of a few images: what it does to a network that is retrained.

2,000 images of CIFAR-10, small_resnet, twenty epochs without augmentation, batches of 256. So many random
images are left out that what stays ends in a last batch of 256, 108 or 8; each is retrained with three seeds.

    python benchmarks/last_batch.py --out results/benchmarks/last_batch.json
"""

import argparse
import json
import warnings
from pathlib import Path

import torch

from unlearn_nb.all import environment, forget_random, image_learner, measures, train
from unlearn_nb.application import named_dls
from unlearn_nb.bench.grid import recipe_named
from unlearn_nb.core import atomic_dir

N,EPOCHS = 2000,20
LEFT_OUT = 208,100,200


def main(out, seeds):
    "Rows of every size and seed"
    loaders,network,training = recipe_named('memorise')
    dls = named_dls('cifar10', n=N, **loaders)
    learn = image_learner(dls, 'small_resnet', seed=0, **network)
    with learn.no_bar(), learn.no_logging():
        train(learn, EPOCHS, **training)
    rows = []
    for n in LEFT_OUT:
        split = forget_random(dls, n=n, seed=0)
        for seed in seeds:
            found = measures(learn.unlearn(split, 'retrain', seed=seed), split)
            rates = {k: found[k] for k in ('UA', 'RA', 'TA')}
            rows.append({'left out': n, 'last batch': (N-n) % 256 or 256, 'seed': seed, **rates})
            print(rows[-1], flush=True)
    command = f'python benchmarks/last_batch.py --out {out}'
    state = {'commands': [command], 'environment': environment(), 'rows': rows}
    with atomic_dir(out.absolute().parent, overwrite=True) as tmp:
        (tmp/out.name).write_text(json.dumps(state, indent=1))


if __name__ == '__main__':
    p = argparse.ArgumentParser()
    p.add_argument('--out', type=Path, required=True)
    p.add_argument('--seeds', type=int, nargs='+', default=[100, 200, 300])
    torch.set_num_threads(1)
    warnings.simplefilter('ignore')
    main(**vars(p.parse_args()))

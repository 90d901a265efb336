"""Does a second request bring back what the first took away?

Tiny networks that know four classes of made pictures, one per seed: class b goes, then class c. The share of
the training images of b that are named rightly before, after the first and after the second request.

    python benchmarks/second_request.py --seeds 0 1 2 3 4 5 6 7 \\
        --out results/benchmarks/second_request.json
"""

import argparse
import json
import warnings
from pathlib import Path

import torch

from unlearn_nb.all import collect, environment, forget_class, get_method, image_learner, list_methods
from unlearn_nb.all import tensor_dls, train
from unlearn_nb.core import RequestError, canonical
from unlearn_nb.testing import TinyNet, tiny_images


def trained(seed):
    images = *tiny_images(70, 4, 12), *tiny_images(32, 4, 12, seed=1)
    dls = tensor_dls(*images, list('abcd'), bs=16, flip=False, pad=1, device='cpu')
    learn = image_learner(dls, TinyNet(4, seed=seed))
    with learn.no_bar(), learn.no_logging():
        return train(learn, 12, 2e-2)


def shares(learn, name):
    "Share of class b before, after the first request and after the second"
    first, second = forget_class(learn.dls, 'b'), forget_class(learn.dls, 'c')
    one = learn.unlearn(first, name)
    two = one.unlearn(second, name)
    hits = [collect(m, first, ['forget'])['forget'].hits.double().mean().item() for m in (learn, one, two)]
    told = bool((two.unlearn_record.outcome['earlier'] or {}).get('back'))
    return dict(zip(('before', 'first', 'second'), hits), told=told)


if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--seeds', nargs='+', type=int, default=list(range(8)))
    p.add_argument('--out', type=Path)
    a = p.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter('ignore')
    rows = []
    for seed in a.seeds:
        learn = trained(seed)
        for name in (n for n in list_methods()['name'] if get_method(n).fixtures):
            if 'class' not in get_method(name).requests or name == 'sisa':
                continue
            try:
                rows.append({'seed': seed, 'method': name, **shares(learn, name)})
            except RequestError as e:
                rows.append({'seed': seed, 'method': name, 'says': str(e)})
    back = {}
    for r in rows:
        if r.get('second', 0) > r.get('first', 1) + 0.2:
            back.setdefault(r['method'], []).append(r['seed'])
    print('came back by more than 20 points:', back)
    if a.out:
        out = {'seeds': a.seeds, 'came back': back, 'rows': rows, 'environment': environment()}
        a.out.write_text(json.dumps(canonical(out)))

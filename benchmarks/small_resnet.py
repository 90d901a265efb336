"""`small_resnet` on all of CIFAR-10: accuracy after 8 epochs and seconds per epoch.

    python benchmarks/small_resnet.py --out results/benchmarks/small_resnet.json
"""

import argparse
import json
from pathlib import Path

from unlearn_nb.all import cifar10_dls, environment, image_learner, timed, train

p = argparse.ArgumentParser()
p.add_argument('--out', type=Path, required=True)
p.add_argument('--epochs', type=int, default=8)
p.add_argument('--lr', type=float, default=1e-2)
p.add_argument('--seed', type=int, default=0)
a = p.parse_args()

learn = image_learner(cifar10_dls(), 'small_resnet', seed=a.seed)
with timed() as t, learn.no_bar():
    train(learn, a.epochs, lr=a.lr)
res = {
    'command': 'python benchmarks/small_resnet.py',
    'epochs': a.epochs,
    'lr': a.lr,
    'seed': a.seed,
    'accuracy': float(learn.recorder.values[-1][-1]),
    'seconds_per_epoch': t.seconds / a.epochs,
    'environment': environment(),
}
a.out.parent.mkdir(parents=True, exist_ok=True)
a.out.write_text(json.dumps(res, indent=1))
print({k: v for k, v in res.items() if k != 'environment'})

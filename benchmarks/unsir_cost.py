"""What UNSIR costs beside retraining, in images and in seconds of one and the same run, and what less or more work buys.

Takes the original and the retrained model from the folder of `unlearn-nb demo --models`, times epochs of ordinary training and
runs UNSIR at several sizes on several classes and seeds. Retraining is counted as the authors' 40 epochs.

    python benchmarks/unsir_cost.py --recipe one_cycle --epochs 8 --models models --out results/benchmarks/unsir_cost_one_cycle.json
"""
import argparse
import json
from pathlib import Path

from unlearn_nb.all import UNSIR, environment, forget_class, measures
from unlearn_nb.bench import compare
from unlearn_nb.core import timed
from unlearn_nb.learner import SkipValidation, image_learner

p = argparse.ArgumentParser()
p.add_argument('--recipe', default='one_cycle'); p.add_argument('--epochs', type=int, default=8); p.add_argument('--models', type=Path, default=Path('models'))
p.add_argument('--out', type=Path, required=True); p.add_argument('--classes', nargs='+', default=['airplane']); p.add_argument('--seeds', type=int, nargs='+', default=[0])
p.add_argument('--sizes', type=float, nargs='+', default=[.25, .5, 1., 2.], help='work relative to the default')
p.add_argument('--published', action='store_true')
a = p.parse_args()

rows = []
def save(): a.out.parent.mkdir(parents=True, exist_ok=True); a.out.write_text(json.dumps({'command': ' '.join(__import__('sys').argv), 'epoch': epoch, 'rows': rows, 'environment': environment()}, indent=1))

base, learners, split = compare('cifar10', 'resnet18', lambda dls: forget_class(dls, 'airplane'), a.epochs, methods=[], recipe=a.recipe, models=a.models)
learn = learners['original']
timing = image_learner(learn.dls, 'resnet18')
times = []
for _ in range(2):
    with timed() as t, timing.no_bar(), timing.no_logging(): timing.fit(1, 1e-3, cbs=SkipValidation())
    times.append(t.seconds)
n_train = len(learn.dls.train_ds)
epoch = {'seconds_per_image': min(times)/n_train, 'retrain_40_epochs_images': 40*len(split.retain_idxs), 'retrain_40_epochs_seconds': 40*len(split.retain_idxs)*min(times)/n_train}
print(epoch, flush=True)
default = UNSIR()
for c in a.classes:
    s = forget_class(learn.dls, c)
    for seed in a.seeds:
        todo = [(f'{k:g}', UNSIR(impair_samples=int(k*default.impair_samples), repair_samples=int(k*default.repair_samples))) for k in (a.sizes if (c, seed) == (a.classes[0], a.seeds[0]) else [1.])]
        if a.published and seed == a.seeds[0]: todo.append(('published', UNSIR.published()))
        for size, m in todo:
            new = learn.unlearn(s, m, seed=seed)
            r, v = new.unlearn_record, measures(new, s)
            im = r.images['forward_backward']+r.images['forward']/3
            rows.append({'class': c, 'seed': seed, 'size': size, **{k: v[k] for k in ('UA', 'RA', 'A_Df', 'A_Dr')}, 'images': r.images, 'seconds': r.seconds,
                         'times_fewer_images': epoch['retrain_40_epochs_images']/im, 'times_faster': epoch['retrain_40_epochs_seconds']/r.seconds, **{k: r.details[k] for k in ('edge', 'impair_lr', 'repair_lr')}})
            print({k: (round(x, 4) if isinstance(x, float) else x) for k, x in rows[-1].items()}, flush=True); save()

"""Training on two CPU processes (gloo): every image once an epoch, accuracy as on one, and the result can be
unlearned."""

import json
import os
import subprocess
import sys

import pytest

pytest.importorskip('accelerate')

SCRIPT = '''
import json, sys, torch
torch.set_num_threads(1)
from fastai.callback.core import Callback
from fastai.torch_core import rank_distrib
from unlearn_nb.all import *
from unlearn_nb.distributed import distributed
class Seen(Callback):
    def before_fit(self): self.seen = []
    def before_batch(self):
        if self.training: self.seen.append((self.epoch, self.x.double().sum((1, 2, 3)).tolist()))
out = sys.argv[1]
dls = digits_dls()
learn = image_learner(dls, 'small_resnet', cbs=Seen())
with learn.no_bar(), learn.no_logging(), distributed(learn): train(learn, 3)
from unlearn_nb.engine import model_hash
found = {'seen': [len(s) for _, s in learn.seen.seen], 'hash': model_hash(learn.model), 'bs': learn.recipe.bs,
         'epochs': learn.recipe.epochs, 'accuracy': float(learn.recorder.values[-1][-1])}
json.dump(found, open(f'{out}/{rank_distrib()}.json', 'w'))
if not rank_distrib(): save_model(learn, f'{out}/model.safetensors')
'''


def launch(folder, n):
    folder.mkdir()
    (folder / 'script.py').write_text(SCRIPT)
    env = {**os.environ, 'OMP_NUM_THREADS': '1', 'OMP_WAIT_POLICY': 'passive', 'CUDA_VISIBLE_DEVICES': ''}
    cmd = [
        sys.executable,
        '-W',
        'ignore',
        '-m',
        'torch.distributed.run',
        '--standalone',
        '--nproc-per-node',
        str(n),
        str(folder / 'script.py'),
        str(folder),
    ]
    res = subprocess.run(cmd, capture_output=True, text=True, env=env, timeout=300)
    assert res.returncode == 0, res.stderr[-4000:]
    return [json.loads((folder / f'{r}.json').read_text()) for r in range(n)]


def alone(folder, monkeypatch):
    "The same script in this process, which no launcher has told that it is one of several"
    import torch

    folder.mkdir()
    monkeypatch.setattr(sys, 'argv', ['script.py', str(folder)])
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    exec(compile(SCRIPT, 'script.py', 'exec'), {'__name__': '__main__'})
    return [json.loads((folder / '0.json').read_text())]


def test_two_processes(tmp_path, monkeypatch):
    from unlearn_nb.all import digits_dls, forget_class, load_model, measures

    two, one = launch(tmp_path / 'two', 2), alone(tmp_path / 'one', monkeypatch)
    n = len(digits_dls().train_ds)
    assert sum(sum(r['seen']) for r in two) == sum(one[0]['seen']) == 3 * n  # every image once an epoch
    assert len(two[0]['seen']) == len(two[1]['seen'])
    assert two[0]['hash'] == two[1]['hash'] != one[0]['hash']  # the processes agree to the bit
    assert (two[0]['bs'], two[0]['epochs']) == (one[0]['bs'], one[0]['epochs'])
    assert abs(two[0]['accuracy'] - one[0]['accuracy']) < 0.05 and two[0]['accuracy'] > 0.8
    learn = load_model(tmp_path / 'two' / 'model.safetensors', digits_dls())
    split = forget_class(learn.dls, '3')
    m = measures(learn, split)
    held = len(split.idxs['valid_forget']), len(split.idxs['valid_retain'])
    assert (
        abs((m['A_Df'] * held[0] + m['A_Dr'] * held[1]) / sum(held) - two[0]['accuracy']) < 0.02
    )  # as logged, from both halves of each batch
    new, retrained = learn.unlearn(split, 'unsir'), learn.unlearn(split, 'retrain')
    assert (
        measures(learn, split)['A_Df'] > 0.7
        and measures(new, split)['A_Df'] < 0.1
        and measures(retrained, split)['A_Df'] == 0
    )

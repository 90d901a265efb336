"""Do the numbers stand still? Weights and answers of every method, retraining, SISA, a search and an audit,
as hashes.

    python tools/hashes.py write /tmp/before.json        before a change that must not move a number
    python tools/hashes.py compare /tmp/before.json      afterwards, on the same machine: names what moved

Hashes depend on processor, threads and torch's version, so none are committed.
"""

import hashlib
import json
import os
import sys
import warnings

os.environ['OMP_NUM_THREADS'] = '1'
import torch  # noqa: E402

from unlearn_nb import all as un  # noqa: E402
from unlearn_nb.core import canonical  # noqa: E402
from unlearn_nb.engine import model_hash

torch.set_num_threads(1)
warnings.simplefilter('ignore')
timings = 'seconds', 'cpu_seconds', 'made', 'environment', 'time', 'took', 'code'


def of_model(learn):
    return model_hash(learn.model)


def of_json(d):
    "Hash of anything that JSON holds, without times and machine"

    def plain(o):
        if isinstance(o, dict):
            return {str(k): plain(v) for k, v in sorted(o.items(), key=str) if k not in timings}
        if isinstance(o, (list, tuple)):
            return [plain(v) for v in o]
        return round(o, 10) if isinstance(o, float) else o

    return hashlib.sha256(json.dumps(plain(canonical(d)), sort_keys=True).encode()).hexdigest()[:16]


def trained(n=600, arch='small_resnet', epochs=5):
    learn = un.image_learner(un.digits_dls(n=n), arch)
    with learn.no_bar(), learn.no_logging():
        un.train(learn, epochs)
    return learn


def hashes():
    learn = trained()
    found = {'trained': of_model(learn)}
    requests = {'class': un.forget_class(learn.dls, '3'), 'random': un.forget_random(learn.dls, frac=0.1)}
    for name, of in un.list_methods().set_index('name')['requests'].items():
        if not un.get_method(name).fixtures:
            continue
        for kind, split in requests.items():
            if kind not in of.split() or name == 'sisa':
                continue
            try:
                found[f'{name}, {kind}'] = of_model(learn.unlearn(split, name))
            except un.RequestError as e:
                found[f'{name}, {kind}'] = f'refused: {str(e)[:60]}'
    for name in (n for n in un.list_methods()['name'] if un.get_method(n).fixtures):
        method = un.get_method(name)
        if not hasattr(type(method), 'published'):
            continue
        try:
            found[f'{name}, published'] = of_model(learn.unlearn(requests['class'], type(method).published()))
        except (un.RequestError, un.DivergedError) as e:
            found[f'{name}, published'] = f'refused: {str(e)[:60]}'
    sisa = un.sisa_learner(un.digits_dls(n=300), 'small_resnet', shards=2, slices=2, epochs=2)
    found |= {
        'sisa': of_model(sisa),
        'sisa, unlearned': of_model(sisa.unlearn(un.forget_random(sisa.dls, n=20), 'sisa')),
    }
    for lower in ('finetune', 'neggrad', 'scrub'):
        worst = un.worst_case(learn, frac=0.1, lower=lower, steps=2)
        found[f'worst case, {lower}'] = of_json(sorted(map(int, worst.idxs)))
    refs = un.oracle(learn, requests['class'], [100, 101])
    found |= {f'oracle {i}': of_model(r) for i, r in enumerate(refs)}
    new = learn.unlearn(requests['class'], 'finetune')
    report = un.audit(learn, new, requests['class'], refs, progress=False, figures=False)
    found |= {
        'audit, status': report.status,
        'audit, verdict': of_json([s for s in report.verdict if not s.startswith('The request took')]),
        'scores': of_json(un.measures(new, requests['class'])),
    }
    return found


if __name__ == '__main__':
    what, file = sys.argv[1:]
    now = hashes()
    if what == 'write':
        sys.exit(open(file, 'w').write(json.dumps(now, indent=1)) and 0)
    before = json.load(open(file))
    moved = {
        k: (before.get(k), now.get(k)) for k in before.keys() | now.keys() if before.get(k) != now.get(k)
    }
    for k, (a, b) in sorted(moved.items()):
        print(f'{k}: {a} -> {b}')
    print(f'{len(before)} hashes, {len(moved)} moved')
    sys.exit(bool(moved))

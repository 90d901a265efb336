"""All tests of the project, one line each and a count at the end.

In sync and clean (exported package, notebooks, README), every notebook executed, pytest if there are such
tests,
and a wheel built, installed with the newest dependencies in a throw-away environment and used there.
"""

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

root = Path(__file__).parent.parent
bin_ = Path(sys.executable).parent
os.environ.update(
    OMP_WAIT_POLICY='passive',
    OMP_NUM_THREADS=str(max(1, (os.cpu_count() or 2) // 2)),
    MPLBACKEND='agg',
    PYTHONWARNINGS='ignore',
)
results, took = [], {}
quick = '--quick' in sys.argv


def report(name, ok, seconds, output=''):
    results.append(ok)
    took[name] = seconds
    print(f"{'ok  ' if ok else 'FAIL'} {name}  ({seconds:.0f} s)", flush=True)
    if not ok:
        print(output[-6000:], flush=True)


def run(name, *cmd, cwd=root, env=None, timeout=1200):
    start = time.time()
    try:
        res = subprocess.run(
            [str(c) for c in cmd],
            cwd=cwd,
            capture_output=True,
            text=True,
            env={**os.environ, **(env or {})},
            timeout=timeout,
        )
        ok, out = res.returncode == 0, res.stdout + res.stderr
    except subprocess.TimeoutExpired:
        ok, out = False, f"took longer than {timeout} s"
    report(name, ok, time.time() - start, out)
    return ok


def contents():
    "Every file that export or cleaning may change, with its content"
    files = [*root.glob('unlearn_nb/**/*.py'), *root.glob('nbs/**/*.ipynb')]
    return {f: f.read_bytes() for f in files if '.ipynb_checkpoints' not in f.parts}


def unchanged(name, tool):
    "Run a tool that rewrites files; pass if it had nothing to do, and put back what it changed"
    before, start = contents(), time.time()
    res = subprocess.run([str(bin_ / tool)], cwd=root, capture_output=True, text=True)
    after = contents()
    changed = sorted(
        {str(f.relative_to(root)) for f in before.keys() | after.keys() if before.get(f) != after.get(f)}
    )
    for f, b in before.items():
        if after.get(f) != b:
            f.write_bytes(b)
    report(
        name,
        res.returncode == 0 and not changed,
        time.time() - start,
        f"{res.stderr}\nchanged: {', '.join(changed)}; run `make export`",
    )


def preload():
    "Import what every page imports, once; nothing of our own, so that a page must import what it uses"
    import captum.attr, fastai.vision.all, matplotlib.pyplot, seaborn, sklearn.svm, torchvision


def alone(f, *args, **kwargs):
    """A call in a fresh process, forked from this one that has the heavy libraries; what a page registers or
    patches is not there for the next"""
    fork = get_context('fork')
    here, there = fork.Pipe(duplex=False)
    child = fork.Process(target=lambda: there.send(f(*args, **kwargs)))
    child.start()
    there.close()
    try:
        return here.recv()
    except EOFError:  # it died
        return False, 0
    finally:
        child.join()


def notebooks():
    "Execute all notebooks with nbdev, two at a time; each counts, and all must have run"
    from nbdev.config import get_config
    from nbdev.doclinks import nbglob
    from nbdev.test import test_nb

    files = [f.absolute() for f in sorted(nbglob(root / 'nbs', as_path=True))]
    if quick:
        files = [f for f in files if str(f.relative_to(root)) in changed()]
    if not files:
        return
    flags = get_config().tst_flags.split()
    force = [a.removeprefix('--flags=').split() for a in sys.argv if a.startswith('--flags=')]
    os.chdir(root / 'nbs')
    preload()
    kwargs = dict(skip_flags=flags, force_flags=sum(force, []), basepath=root)
    done = []
    with ThreadPoolExecutor(min(2, os.cpu_count())) as two:
        for f, (ok, seconds) in zip(files, two.map(lambda f: alone(test_nb, f, **kwargs), files)):
            report(str(f.relative_to(root)), ok, seconds)
            done.append(f)
    os.chdir(root)
    if quick:
        return
    exist = [f.relative_to(root) for f in root.glob('nbs/**/*.ipynb')]
    exist = [f for f in exist if not any(p.startswith(('_', '.')) for p in f.parts)]
    report(f"all {len(exist)} notebooks were executed", len(done) == len(exist), 0, f"{len(done)} ran")


def changed():
    "Files that differ from the last commit, untracked ones included"
    status = subprocess.run(['git', 'status', '--porcelain'], cwd=root, capture_output=True, text=True).stdout
    return {line[3:].strip('"') for line in status.splitlines()}


def slowest(n=10):
    "Where the time went"
    worst = sorted(took.items(), key=lambda kv: -kv[1])[:n]
    print('\nslowest: ' + ', '.join(f'{name} {seconds:.0f} s' for name, seconds in worst))


use_wheel = '''
import unlearn_nb, fastai, fastcore, torch
from unlearn_nb.all import *
dls = digits_dls(n=500)
learn = image_learner(dls, 'small_resnet')
with learn.no_bar(), learn.no_logging(): train(learn, 4)
split = forget_class(dls, '3')
new = learn.unlearn(split, 'unsir')
a, b = measures(learn, split), measures(new, split)
assert a['A_Df'] > .7 and b['A_Df'] < .1 and b['A_Dr'] > .7, (a, b)
assert '/site-packages/' in unlearn_nb.__file__
print('fastai', fastai.__version__, 'fastcore', fastcore.__version__, 'torch', torch.__version__)
'''


def wheel():
    "Build a wheel, install it with the newest versions of all it needs, forget a class there"
    with tempfile.TemporaryDirectory() as tmp:
        env = {'VIRTUAL_ENV': f'{tmp}/venv', 'PYTHONPATH': ''}
        steps = [
            ('wheel builds', [bin_ / 'uv', 'build', '-q', '--wheel', '-o', tmp, '.'], root),
            ('throw-away environment', [sys.executable, '-m', 'venv', f'{tmp}/venv'], root),
        ]
        if not all(run(n, *c, cwd=d) for n, c, d in steps):
            return
        built = next(Path(tmp).glob('*.whl'))
        if not run(
            'wheel installs with newest dependencies',
            bin_ / 'uv',
            'pip',
            'install',
            '-q',
            built,
            env=env,
            cwd=tmp,
        ):
            return
        run('wheel forgets a class', f'{tmp}/venv/bin/python', '-c', use_wheel, env=env, cwd=tmp)
        run('wheel has the command', f'{tmp}/venv/bin/unlearn-nb', 'methods', env=env, cwd=tmp)


if __name__ == '__main__':
    unchanged('package in sync with notebooks', 'nbdev_export')
    unchanged('notebooks are clean', 'nbdev_clean')
    run('README in sync with nbs/index.ipynb', sys.executable, 'tools/readme.py', '--check')
    run('lines, names and statements (ruff)', bin_ / 'ruff', 'check', '.')
    notebooks()
    if not quick:
        tests = sorted(root.glob('tests/test_*.py'), reverse=True)
        with ThreadPoolExecutor(2) as two:  # each is a process of its own
            slow = any(a.startswith('--flags=') and 'slow' in a for a in sys.argv)
            pytest = [sys.executable, '-m', 'pytest', '-q', *([] if slow else ['-m', 'not slow'])]
            rest = [two.submit(run, f'pytest {f.name}', *pytest, f) for f in tests] + [two.submit(wheel)]
        for r in rest:
            r.result()
    slowest()
    failed = results.count(False)
    print(f"\n{len(results)-failed} passed, {failed} failed")
    sys.exit(bool(failed))

"""All tests of the project, one line each and a count at the end.

In sync and clean (exported package, notebooks, README); every notebook executed, pytest, and a wheel built,
installed with the newest dependencies in a throw-away environment and used there, two jobs at a time. Those
that took longest the last time begin, so that none is left alone at the end.

    python tools/check.py                everything
    python tools/check.py --quick        in sync, and the notebooks that differ from the last commit
    python tools/check.py --flags=slow   the heavy variations as well
    python tools/check.py --only=11_,12_ jobs whose names contain one of these
"""

import compileall
import gc
import json
import os
import resource
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
results, took, spent = [], {}, {}
quick = '--quick' in sys.argv
only = next((a.removeprefix('--only=') for a in sys.argv if a.startswith('--only=')), '')
patience = 1200  # Seconds for a job
forced = [f for a in sys.argv if a.startswith('--flags=') for f in a.removeprefix('--flags=').split()]
# pytest files in two parts, each a job: what is chosen by these words, and the rest
parts = {'test_survival.py': 'ray', 'test_docs.py': 'howto'}
times = Path(sys.prefix) / 'check_times.json'  # of the last run, in this environment
# Seconds of the longest on two idle cores, for an environment in which nothing has been timed yet
usual = json.loads((root / 'tools' / 'check_times.json').read_text())
# for packages, a cluster, a browser, half of the time or more: they run in turn, beside two others
waiting = 'wheel', 'pytest test_survival.py ray', 'pytest test_docs.py not howto'


def report(name, ok, seconds, output='', cpu=None):
    results.append(ok)
    took[name] = seconds
    used = ''
    if cpu is not None:
        spent[name] = cpu
        used = f', {cpu:.0f} s of a core'
    print(f"{'ok  ' if ok else 'FAIL'} {name}  ({seconds:.0f} s{used})", flush=True)
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
    """Import what every page imports, once; nothing of our own, so that a page must import what it uses. What
    is compiled is kept: interpreters that tests start read it, and compile nothing for seven seconds each"""
    compiled = Path(sys.prefix) / 'compiled'
    os.environ['PYTHONPYCACHEPREFIX'] = sys.pycache_prefix = str(compiled)
    sys.dont_write_bytecode = False
    os.environ.pop('PYTHONDONTWRITEBYTECODE', None)
    import captum.attr, fastai.vision.all, matplotlib.pyplot, seaborn, sklearn.svm, torchvision

    compileall.compile_dir(root / 'unlearn_nb', quiet=2)
    gc.collect()
    gc.freeze()  # half a million objects that stay: every collection of every job would look at them


def alone(f, *args):
    """A call in a fresh process, forked from this one that has the heavy libraries; what a page registers or
    patches is not there for the next. Returns whether it went well, what it printed, and seconds of a core"""
    fork = get_context('fork')
    here, there = fork.Pipe(duplex=False)
    with tempfile.TemporaryFile() as said:

        def run_it():
            for stream in (1, 2):
                os.dup2(said.fileno(), stream)
            ok = f(*args)
            sys.stdout.flush()
            sys.stderr.flush()
            used = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
            there.send((ok, sum(u.ru_utime + u.ru_stime for u in used)))

        child = fork.Process(target=run_it)
        child.start()
        there.close()
        ok, cpu = False, 0
        try:
            if here.poll(patience):
                ok, cpu = here.recv()
            else:
                child.kill()
        except EOFError:  # it died
            pass
        child.join()
        said.seek(0)
        return ok, said.read().decode(errors='replace'), cpu


def page(file):
    "Does a notebook run? By nbdev, in its own folder"
    from nbdev.config import get_config
    from nbdev.test import test_nb

    os.chdir(root / 'nbs')
    return test_nb(file, skip_flags=get_config().tst_flags.split(), force_flags=forced, basepath=root)[0]


def tests(file, words):
    "Does a file of tests, or the part that words choose, pass?"
    import pytest

    os.chdir(root)
    chosen = [] if 'slow' in forced else ['-m', 'not slow']
    return pytest.main(['-q', *chosen, *(['-k', words] if words else []), str(file)]) == 0


def timed(name, f, *args):
    "A job: run alone and reported"
    start = time.time()
    ok, said, cpu = alone(f, *args)
    report(name, ok, time.time() - start, said, cpu)


def jobs():
    "Name -> what to call, the longest first"
    from nbdev.doclinks import nbglob

    files = sorted(nbglob(root / 'nbs', as_path=True))
    names = {str(f.absolute().relative_to(root)): f.absolute() for f in files}
    if quick:
        return {n: (timed, n, page, f) for n, f in names.items() if n in changed()}
    made = {n: (timed, n, page, f) for n, f in names.items()}
    for f in sorted(root.glob('tests/test_*.py')):
        word = parts.get(f.name)
        for w in [word, f'not {word}'] if word else ['']:
            name = f'pytest {f.name} {w}'.strip()
            made[name] = timed, name, tests, f, w
    made['wheel'] = (wheel,)
    known = json.loads(times.read_text()) if times.exists() else {}
    guess = lambda n: known.get(n, usual.get(n, 5))
    chosen = [n for n in made if any(w in n for w in only.split(','))]
    return {n: made[n] for n in sorted(chosen, key=guess, reverse=True)}


def run_jobs():
    """Two at a time, and one that often waits beside them; what needs no libraries of this process begins
    while they are imported. All notebooks must have run"""
    todo = jobs()
    with ThreadPoolExecutor(min(2, os.cpu_count())) as two, ThreadPoolExecutor(1) as beside:
        running = [beside.submit(f, *args) for f, *args in todo.values() if f is wheel]
        todo = {n: job for n, job in todo.items() if job[0] is not wheel}
        if todo:
            preload()
        where = {n: beside if n in waiting else two for n in todo}
        running += [where[n].submit(f, *args) for n, (f, *args) in todo.items()]
        for done in running:
            done.result()
    gc.unfreeze()  # else libraries say at the end that something is left
    if quick or only:
        return
    exist = [f.relative_to(root) for f in root.glob('nbs/**/*.ipynb')]
    exist = [str(f) for f in exist if not any(p.startswith(('_', '.')) for p in f.parts)]
    ran = sum(n in took for n in exist)
    report(f"all {len(exist)} notebooks were executed", ran == len(exist), 0, f"{ran} ran")


def changed():
    "Files that differ from the last commit, untracked ones included"
    status = subprocess.run(['git', 'status', '--porcelain'], cwd=root, capture_output=True, text=True).stdout
    return {line[3:].strip('"') for line in status.splitlines()}


def slowest(n=10):
    "Where the time went"
    worst = sorted(took.items(), key=lambda kv: -kv[1])[:n]
    print('\nslowest: ' + ', '.join(f'{name} {seconds:.0f} s' for name, seconds in worst))
    print(f'{sum(spent.values()):.0f} s of a core in all')
    known = json.loads(times.read_text()) if times.exists() else {}
    times.write_text(json.dumps({**known, **took}))


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
import runpy, sys
from pathlib import Path
command = Path(sys.executable).parent/'unlearn-nb'      # as it was installed, in this process
sys.argv = [str(command), 'methods']
try: runpy.run_path(sys.argv[0], run_name='__main__')
except SystemExit as e: assert not e.code, e
'''


def wheel():
    "Build a wheel, install it with the newest versions of all it needs, forget a class there"
    start = time.time()
    with tempfile.TemporaryDirectory() as tmp:
        env = {'VIRTUAL_ENV': f'{tmp}/venv', 'PYTHONPATH': ''}
        ok = run('wheel builds', bin_ / 'uv', 'build', '-q', '--wheel', '-o', tmp, '.')
        ok = ok and run('throw-away environment', sys.executable, '-m', 'venv', f'{tmp}/venv', cwd=root)
        if not ok:
            return
        install = bin_ / 'uv', 'pip', 'install', '-q', next(Path(tmp).glob('*.whl'))
        if not run('wheel installs with newest dependencies', *install, env=env, cwd=tmp):
            return
        what = 'wheel forgets a class and has the command'
        run(what, f'{tmp}/venv/bin/python', '-c', use_wheel, env=env, cwd=tmp)
    took['wheel'] = time.time() - start


if __name__ == '__main__':
    if not only:
        unchanged('package in sync with notebooks', 'nbdev_export')
        unchanged('notebooks are clean', 'nbdev_clean')
        run('README in sync with nbs/index.ipynb', sys.executable, 'tools/readme.py', '--check')
        run('lines, names and statements (ruff)', bin_ / 'ruff', 'check', '.')
    run_jobs()
    slowest()
    failed = results.count(False)
    print(f"\n{len(results)-failed} passed, {failed} failed")
    sys.exit(bool(failed))

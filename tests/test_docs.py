"""The documentation site: built, checked for dead links, and looked at in a real browser, page by page.

Every check is tried on a page that was broken on purpose, so that a check that sees nothing is seen.
"""

import os
import re
import shutil
import sys
import threading
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

root = Path(__file__).parent.parent
sys.path.insert(0, str(root / 'tools'))
pytest.importorskip('sphinx', reason='needs the development requirements')
pytest.importorskip('myst_nb', reason='needs the development requirements')
import apidoc  # noqa: E402
import docs  # noqa: E402
import docs_cards  # noqa: E402
import docs_tables  # noqa: E402

chromium = shutil.which('chromium')
browsing = pytest.mark.skipif(not chromium, reason='needs the chromium program, to look at the pages')
widths = 390, 1280
contrast = 4.5
# Public parameters and fields without a word: may fall, never rise; the aim is 0
ceiling = int((root / 'docs' / 'missing.txt').read_text())
# What a newcomer types, and a page that must be among the first five answers
searches = {
    'install': 'get_started/install',
    'own data': 'get_started/faq',
    'own images': 'howto/own_images',
    'delete user': 'howto/delete_records',
    'delete class': 'howto/own_images',
    'which method': 'get_started/faq|howto/choose_method',
    'choose method': 'howto/choose_method',
    'GDPR': 'get_started/faq|howto/read_audit',
    'oracle': 'api/audit|concepts/glossary|get_started/faq',
    'MIA': 'concepts/glossary|get_started/faq|concepts/04_membership',
    'membership inference': 'concepts/glossary|get_started/faq|concepts/04_membership',
    'cite': 'about/cite',
    'glossary': 'concepts/glossary',
    'changelog': 'about/changelog',
    'security': 'about/security',
    'contributing': 'about/contributing',
    'plain PyTorch': 'howto/plain_pytorch',
    'retrain': 'concepts/glossary|howto/|api/',
    'UNSIR': 'methods/unsir|api/methods.unsir|papers/unsir|notebooks/.*unsir',
    'audit': 'howto/read_audit|tutorials/|api/audit|api/room_audit|notebooks/.*audit',
    'worst case': 'tutorials/|papers/|api/',
    'relearning': 'concepts/glossary',
    'fingerprint': 'api/|notebooks/',
    'gallery': 'about/gallery',
    'deprecated': 'about/deprecations|about/changelog',
    'tensorboard': 'howto/tensorboard',
    'cluster': 'howto/cluster',
    'accuracy collapsed': 'howto/does_not_forget|get_started/faq',
    'read report': 'howto/read_audit',
    'differential privacy': 'concepts/07_guarantees',
    'SCRUB': 'methods/scrub',
}


@pytest.fixture(scope='module')
def built(tmp_path_factory):
    "The site, what its build found wrong, and the state of the tree before and after"
    out = tmp_path_factory.mktemp('site')
    readme = (root / 'README.md').read_bytes()
    before = tracked()
    wrong = docs.build(out)
    assert (root / 'README.md').read_bytes() == readme
    assert tracked() == before, 'the build wrote into the tree'
    return out / docs.version, wrong


def tracked():
    """Every file outside ignored folders, with size and time of its last change; what notebooks write next to
    themselves while they are tested beside is none of the build's"""
    skip = {'.venv', '.git', '_proc', '_docs', '__pycache__', '.pytest_cache', '.ruff_cache'}
    found = {}
    for folder, names, files in os.walk(root):
        names[:] = [n for n in names if n not in skip and not n.endswith('.egg-info')]
        for f in files:
            path = Path(folder) / f
            ours = 'nbs' not in path.relative_to(root).parts or f.endswith('.ipynb')
            if ours and path.exists():
                found[f'{folder}/{f}'] = path.stat().st_size, path.stat().st_mtime_ns
    return found


@contextmanager
def served(folder):
    "Address of a folder on this machine"

    class Quiet(SimpleHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'

        def __init__(self, *args, **kwargs):
            super().__init__(*args, directory=str(folder), **kwargs)

        def log_message(self, *args):
            pass

        def end_headers(self):
            if '_static' in self.path or 'searchindex' in self.path:  # asked for once, not by every page
                self.send_header('Cache-Control', 'max-age=3600')
            super().end_headers()

    server = ThreadingHTTPServer(('127.0.0.1', 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f'http://127.0.0.1:{server.server_port}'
    server.shutdown()
    server.server_close()


@pytest.fixture(scope='module')
def browser():
    playwright = pytest.importorskip('playwright.sync_api')
    with playwright.sync_playwright() as p:
        b = p.chromium.launch(
            executable_path=chromium,
            args=['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
        )
        yield b
        b.close()


# What the build says


def test_no_warning_no_dead_link(built):
    _, wrong = built
    assert wrong == []


def test_the_site_is_whole(built):
    site, _ = built
    for name in (
        'index.html',
        '404.html',
        'search.html',
        'genindex.html',
        'sitemap.xml',
        'llms.txt',
        'objects.inv',
    ):
        assert (site / name).exists(), name
    for section in ('get_started', 'concepts', 'howto', 'api', 'about'):
        assert (site / section / 'index.html').exists(), section
    pages = {f.relative_to(site).with_suffix('').as_posix() for f in site.glob('**/*.html')}
    assert {b.doc for b in docs.notebooks()} <= pages
    locs = re.findall(r'<loc>(.*?)</loc>', (site / 'sitemap.xml').read_text())
    assert docs.base + 'index.html' in locs and all(u.startswith(docs.base) for u in locs)
    for word in ('<meta property="og:title"', '<meta property="og:image"', '<link rel="canonical"'):
        assert word in (site / 'index.html').read_text()


def test_a_notebooks_opening_is_on_its_page(built):
    "What follows the subtitle in the first cell was lost once, on every page"
    site, _ = built
    words = lambda s: ' '.join(re.findall(r'[A-Za-z]{3,}', s))
    for b in docs.notebooks():
        first = next(c.source for c in b.nb.cells if c.cell_type == 'markdown')
        rest = [s for s in first.split('\n') if re.match(r'[A-Z][a-z]+ ', s)]
        if not rest:
            continue
        start = words(re.sub(r'\[([^\]]*)\]\([^)]*\)', r'\1', rest[0]))[:60]
        html = (site / f'{b.doc}.html').read_text()
        text = words(re.sub(r'<[^>]+>', '', html[html.index('<article') :]))
        assert start in text, f'{b.doc}: {start}'


def test_nothing_public_is_left_out(built):
    site, _ = built
    for item in apidoc.everything():
        page = (site / 'api' / f'{item.module}.html').read_text()
        assert f'id="{item.full}"' in page, item.full


def test_hidden_cells_stay_hidden():
    cells = [
        dict(cell_type='markdown', source='# A title\n\n> Its subtitle\n\nIts opening.'),
        dict(cell_type='code', source='#| hide\nsecret = 1'),
        dict(cell_type='code', source='#| export\ndef f(a): return a'),
        dict(cell_type='code', source='assert f(1) == 1'),
        dict(cell_type='code', source='f(2)', outputs=[2]),
    ]
    book = notebook(cells)
    out = docs.convert(book, {}, {}).cells
    assert 'Its opening.' in out[0].source and '> Its subtitle' in out[0].source
    assert not any('secret' in c.source or '#|' in c.source for c in out)
    code = [c for c in out if c.cell_type == 'code']
    folded = ['hide-input' in c.metadata.get('tags', []) for c in code]
    assert folded == [True, True, False]
    assert [c.metadata['mystnb']['code_prompt_show'] for c in code[:2]] == [
        'Source of f',
        'Test: assert f(1) == 1',
    ]
    assert code[2].outputs[0].data['text/plain'] == '2'


def notebook(cells):
    "A `docs.Notebook` of a few cells, without a file"
    from nbformat import v4

    made = []
    for c in cells:
        if c['cell_type'] == 'markdown':
            made.append(v4.new_markdown_cell(c['source']))
            continue
        outputs = [v4.new_output('execute_result', {'text/plain': str(o)}) for o in c.get('outputs', [])]
        made.append(v4.new_code_cell(c['source'], outputs=outputs))
    book = docs.Notebook.__new__(docs.Notebook)
    book.nb, book.doc, book.reference, book.module, book.section = (
        v4.new_notebook(cells=made),
        'x',
        False,
        'x',
        '',
    )
    book.path = docs.nbs / 'x.ipynb'
    return book


def test_entries_are_read_from_source(tmp_path, monkeypatch):
    "Signature, docments, errors, fields and patched methods of a module of a few lines"
    package = tmp_path / apidoc.package
    package.mkdir()
    (package / 'small.py').write_text(
        """
__all__ = ['area', 'Shape', 'Base']
from dataclasses import dataclass, field
def area(
    width:float,    # In metres
    # In metres, too;
    # None: a square
    height:float|None=None,
    silent=False
)->float:           # Square metres; raises `ValueError` below zero
    "How much is covered"
class Base:
    "A base"
@dataclass
class Shape(Base):
    "A shape"
    name:str                                  # What it is called
    sides:list=field(default_factory=list)    # Their lengths
    colour:str='red'
@patch
def grow(self:Shape, by:int=2): # A larger shape
    "Make it larger"
"""
    )
    monkeypatch.setattr(apidoc, 'root', tmp_path)
    found = apidoc.modules()
    area, shape, _ = sorted(found['small']['items'], key=lambda i: ['area', 'Shape', 'Base'].index(i.name))
    assert apidoc.signature(
        area
    ) == '(width: float, height: float|None = None, silent=False) -> float'.replace('|', ' | ')
    assert [p.doc for p in area.params] == ['In metres', 'In metres, too; None: a square', '']
    assert (area.return_doc, area.raises) == ('Square metres', 'raises `ValueError` below zero')
    assert shape.fields and [(p.name, p.default) for p in shape.params] == [
        ('name', None),
        ('sides', '[]'),
        ('colour', "'red'"),
    ]
    assert [m.name for m in shape.members] == ['Shape.grow'] and shape.members[0].params[0].default == '2'
    assert list(apidoc.missing(found)) == [
        'small.area(silent)',
        'small.Shape(colour)',
        'small.Shape.grow(by)',
    ]


def test_a_file_that_changed_is_read_again(tmp_path, monkeypatch):
    "And one that did not is not: the API is asked for dozens of times in a build"
    (tmp_path / apidoc.package).mkdir()
    file = tmp_path / apidoc.package / 'small.py'
    monkeypatch.setattr(apidoc, 'root', tmp_path)
    said = []
    for i, word in enumerate(['One', 'Two']):
        file.write_text(f"__all__ = ['f']\ndef f(): '{word}'\n")
        os.utime(file, (i, i))
        found = apidoc.modules()
        said.append(found['small']['items'][0].doc)
        assert apidoc.modules() is found
    assert said == ['One', 'Two']


def test_words_are_inherited(tmp_path, monkeypatch):
    "From the method that is overridden, the attribute that describes it or a field, never from others"
    package = tmp_path / apidoc.package
    package.mkdir()
    (package / 'small.py').write_text(
        """
__all__ = ['Base', 'Middle', 'Leaf', 'Stranger']
class Base:
    "A base"
    # losses(s, xb) -> the loss of each. `s`: a state, \
with two parts; `xb`: inputs. None: there is none
    losses = None
    def run(self,
        learn, # A copy
        split, # A view
        way='' # One word
    )->dict:   # What was done
        "Do it"
@dataclass
class Middle(Base):
    "Between"
    epochs:int=1 # Passes
    def run(self, learn, split, way=''): return {}
@dataclass
class Leaf(Middle):
    "At the end"
    epochs:int=3
    def run(self, learn, split,
        more,  # Of its own
        way='' # Another word
    ): return {}
    def losses(self, s, xb, yb): return s
    def jump(self, learn): return learn
class Stranger:
    "Not related"
    def run(self, learn): return learn
""".replace('\\\n', '')
    )
    monkeypatch.setattr(apidoc, 'root', tmp_path)
    found = apidoc.modules()
    items = {i.name: i for i in apidoc.everything(found)}
    for name in ('Middle.run', 'Leaf.run'):
        run = items[name]
        assert [p.doc for p in run.params][:2] == ['A copy', 'A view'] and run.like == 'Base.run'
        assert (run.doc, run.return_doc) == ('Do it', 'What was done')
    assert [p.doc for p in items['Leaf.run'].params[2:]] == ['Of its own', 'Another word']
    assert [p.doc for p in items['Leaf.losses'].params] == ['A state, with two parts', 'Inputs', '']
    assert items['Leaf.losses'].like == 'Base.losses' and not items['Stranger.run'].like
    assert [(p.name, p.default, p.doc) for p in items['Leaf'].params] == [('epochs', '3', 'Passes')]
    assert list(apidoc.missing(found)) == [
        'small.Leaf.losses(yb)',
        'small.Leaf.jump(learn)',
        'small.Stranger.run(learn)',
    ]
    page = apidoc.module_page('small', found['small'], apidoc.names(found), '')
    assert page.count('As in {py:obj}`Base.run') == 2


def test_help_of_a_command_is_its_word(tmp_path, monkeypatch):
    "Options written out, named, borrowed from another, or as a default; one without help has no word"
    package = tmp_path / apidoc.package
    package.mkdir()
    (package / 'options.py').write_text(
        """
Size = Annotated[Optional[int], Option(min=1, help="Side, in " "pixels")]
Other = Annotated[str, Size.__metadata__[0]]
"""
    )
    (package / 'command.py').write_text(
        """
__all__ = ['go']
def go(
    size: Size = None,
    other: Other = 'a',
    out: Annotated[Path, Argument(help="Where to")] = Path('.'),
    old: bool = typer.Option(False, '--old', help="As before"),
    bare: Annotated[int, Option(min=0)] = 1,
): "Go"
"""
    )
    monkeypatch.setattr(apidoc, 'root', tmp_path)
    (go,) = apidoc.modules()['command']['items']
    assert [(p.type, p.default, p.doc) for p in go.params] == [
        ('Optional[int]', 'None', 'Side, in pixels'),
        ('str', "'a'", 'Side, in pixels'),
        ('Path', "Path('.')", 'Where to'),
        ('bool', 'False', 'As before'),
        ('int', '1', ''),
    ]
    assert go.missing() == ['bare']


def test_every_parameter_has_a_word():
    rows = list(apidoc.missing())
    assert len(rows) <= ceiling, (
        f'{len(rows)} without a word, {ceiling} allowed: python tools/docs.py --missing'
    )


def test_classes_are_classes(built):
    "Signatures say `class` and `def`, with defaults that a person can read"
    site, _ = built
    kinds = {'class': 0, 'def': 0}
    for f in (site / 'api').glob('*.html'):
        html = f.read_text()
        for sig in re.findall(r'<dt class="sig sig-object py"[^>]*>(.*?)</dt>', html, re.S):
            text = re.sub(r'<[^>]+>', '', sig).split()
            kinds[text[0]] = kinds.get(text[0], 0) + 1
        assert 'object at 0x' not in html and 'factory&gt;' not in html, f.name
    assert kinds['class'] > 50 and kinds['def'] > 200


broken = {
    'dead link': '<a href="nowhere.html">x</a>',
    'dead anchor': '<a href="#nowhere">x</a>',
    'alt text': '<img src="_static/favicon.svg">',
    'from elsewhere': '<script src="https://cdn.example.org/a.js"></script>',
    'object at 0x': '<p>object at 0x7f</p>',
}


@pytest.mark.parametrize('fault', broken)
def test_the_check_sees(fault, tmp_path):
    (tmp_path / '_static').mkdir()
    (tmp_path / '_static' / 'favicon.svg').write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    good = '<a href="#a" id="a">x</a><a href="index.html#a">x</a><img src="_static/favicon.svg" alt="a">'
    (tmp_path / 'index.html').write_text(good)
    assert docs.check(tmp_path) == []
    (tmp_path / 'index.html').write_text(good + broken[fault])
    wrong = docs.check(tmp_path)
    assert len(wrong) == 1 and fault in wrong[0]


# What a person sees

look = """() => {
  const parse = s => s.match(/[\\d.]+/g).map(Number).concat([1]).slice(0, 4)
  const over = (top, below) => [0, 1, 2].map(i => top[i]*top[3] + below[i]*(1 - top[3])).concat([1])
  const part = v => { v /= 255; return v <= .04045 ? v/12.92 : ((v + .055)/1.055)**2.4 }
  const light = c => .2126*part(c[0]) + .7152*part(c[1]) + .0722*part(c[2])
  // What is painted behind an element, and how much of it shows; asked once of each
  const known = new Map([[null, {bg: [255, 255, 255, 1], opacity: 1}]])
  const painted = el => {
    if (!known.has(el)) {
      const style = getComputedStyle(el), below = painted(el.parentElement)
      const bg = over(parse(style.backgroundColor), below.bg)
      known.set(el, {bg, opacity: style.opacity*below.opacity})
    }
    return known.get(el)
  }
  const mute = ['SCRIPT', 'STYLE', 'NOSCRIPT', 'TEMPLATE', 'OPTION']
  const seen = new Map(), dim = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const node = walker.currentNode, el = node.parentElement
    if (!node.textContent.trim() || mute.includes(el.tagName)) continue
    if (!el.checkVisibility({checkOpacity: true, checkVisibilityCSS: true})) continue
    const style = getComputedStyle(el), {bg, opacity} = painted(el), raw = parse(style.color)
    const key = [style.color, bg.join(), opacity].join('|')
    if (seen.has(key)) continue
    const fg = over([raw[0], raw[1], raw[2], raw[3]*opacity], bg)
    const [a, b] = [light(fg), light(bg)].sort((p, q) => q - p)
    seen.set(key, (a + .05)/(b + .05))
    const what = `<${el.tagName.toLowerCase()} ${el.className}> ${node.textContent.trim().slice(0, 40)}`
    if (seen.get(key) < LEAST) dim.push(`${seen.get(key).toFixed(2)} ${what}`)
  }
  return {dim, pairs: seen.size}
}""".replace('LEAST', str(contrast))

stick_out = """width => {
  const frames = [...document.querySelectorAll('html, body, main, article, .bd-article-container')]
  const room = f => Math.max(f.clientWidth, Math.ceil(f.getBoundingClientRect().width)) + 1
  if (frames.every(f => f.scrollWidth <= room(f))) return []
  const inside = e => e.closest('pre, .text_html, .pst-scrollable-table-container, .math-block')
  const out = e => e.getBoundingClientRect().right > width + 1 && !inside(e)
  const worst = [...document.querySelectorAll('article *')].filter(out).slice(0, 3)
  return ['page', ...worst.map(e => `${e.tagName} ${e.className}`)]
}"""

pictures = """() => [...document.images].filter(i => i.getClientRects().length)
  .filter(i => !(i.naturalWidth > 0 && i.alt.trim().length > 3))
  .map(i => i.getAttribute('src').slice(0, 80))"""


def faults(page, address):
    "What is wrong with a page, as a person would see it: one load, both widths, both themes"
    page.goto('about:blank')  # so that the page before is not laid out once more
    said = []
    told = lambda m: said.append(f'console: {m.text}') if m.type in ('error', 'warning') else None
    crash = lambda e: said.append(f'error: {e}')
    asked = lambda r: (
        None if r.url.startswith(('data:', address.rsplit('/', 1)[0][:17])) else said.append(f'asks {r.url}')
    )
    failed = lambda r: said.append(f'{r.status} {r.url}') if r.status >= 400 else None
    listeners = {'console': told, 'pageerror': crash, 'request': asked, 'response': failed}
    for event, f in listeners.items():
        page.on(event, f)
    page.emulate_media(color_scheme='light', reduced_motion='reduce')
    page.set_viewport_size({'width': widths[1], 'height': 900})
    page.goto(address)
    page.evaluate("() => document.querySelectorAll('img[loading=lazy]').forEach(i => i.loading = 'eager')")
    page.evaluate('() => Promise.all([...document.images].map(i => i.decode().catch(() => 0)))')
    page.evaluate("() => document.querySelectorAll('details').forEach(d => d.open = true)")
    for scheme in ('light', 'dark'):
        page.emulate_media(color_scheme=scheme)
        page.evaluate(f"() => {{ document.documentElement.dataset.theme = '{scheme}' }}")
        found = page.evaluate(look)
        assert found['pairs'] > 0
        said += [f'contrast, {scheme}: {d}' for d in found['dim']]
    for width in reversed(widths):  # it was laid out for the last one
        page.set_viewport_size({'width': width, 'height': 900})
        said += [f'scrolls sideways at {width}: {o}' for o in page.evaluate(stick_out, width)]
    said += [f'picture without words, or missing: {i}' for i in page.evaluate(pictures)]
    for event, f in listeners.items():
        page.remove_listener(event, f)
    return said


def some_pages(site, every):
    "All pages, but of those that are made alike (of modules, notebooks and methods) each so-many-th"
    pages = sorted(f.relative_to(site).as_posix() for f in site.glob('**/*.html') if f.name != '404.html')
    made = 'api/', 'methods/', 'notebooks/'
    alike = [p for p in pages if p.startswith(made) and not p.endswith('index.html')]
    return [p for p in pages if p not in alike] + alike[::every]


@browsing
@pytest.mark.parametrize('every', [24, pytest.param(1, marks=pytest.mark.slow)])
def test_every_page_looks_right(built, browser, every):
    site, _ = built
    pages = some_pages(site, every)
    assert len(pages) > 20
    wrong = {}
    with served(site) as address:
        page = browser.new_page()
        for name in pages:
            if found := faults(page, f'{address}/{name}'):
                wrong[name] = found
        page.close()
    told = '\n'.join(f'{n}: {f}' for n, found in wrong.items() for f in dict.fromkeys(found))
    assert not wrong, told[:6000]


@browsing
def test_the_page_that_is_not_there(built, browser, tmp_path):
    "404.html is shown at any address, so its links are absolute: looked at where the site is published"
    site, _ = built
    prefix = docs.cfg['doc_baseurl'].strip('/')
    (tmp_path / prefix).symlink_to(site.parent)
    assert 'Page not found' in (site / '404.html').read_text()
    with served(tmp_path) as address:
        page = browser.new_page()
        assert faults(page, f'{address}/{prefix}/{docs.version}/404.html') == []
        assert faults(page, f'{address}/{prefix}/404.html') == []
        page.goto(f'{address}/{prefix}/')
        page.wait_for_url(f'{address}/{prefix}/{docs.version}/index.html')
        page.close()


@browsing
def test_the_operating_systems_theme_is_followed(built, browser):
    site, _ = built
    with served(site) as address:
        for scheme in ('light', 'dark'):
            page = browser.new_page(color_scheme=scheme)
            page.goto(f'{address}/index.html')
            assert page.evaluate('document.documentElement.dataset.theme') == scheme
            page.close()


bad_pages = {
    'contrast, dark': '<p style="color:#777;background:#888">barely</p>',
    'scrolls sideways at 390': '<div style="width:600px">wide</div>',
    'scrolls sideways at 1280': '<div style="width:1600px">wide</div>',
    'picture without words': '<img src="_static/favicon.svg">',
    'missing': '<img src="nowhere.png" alt="a picture">',
    'console': '<script>console.error("oh")</script>',
    'error: ': '<script>undefined_name()</script>',
    'asks': '<img src="http://127.0.0.2:9/x.png" alt="from elsewhere">',
}


@browsing
@pytest.mark.parametrize('fault', bad_pages)
def test_a_broken_page_is_seen(built, browser, fault, tmp_path):
    site, _ = built
    good = (site / 'about' / 'cite.html').read_text().replace('../_static', '_static')
    (tmp_path / '_static').symlink_to(site / '_static')
    (tmp_path / 'good.html').write_text(good)
    (tmp_path / 'bad.html').write_text(good.replace('</article>', bad_pages[fault] + '</article>'))
    with served(tmp_path) as address:
        page = browser.new_page()
        if fault == next(iter(bad_pages)):
            assert not [f for f in faults(page, f'{address}/good.html') if '404' not in f]
        seen = faults(page, f'{address}/bad.html')
        page.close()
    assert any(fault in f for f in seen), seen


again = """words => {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false  // for which it reads every page that it found
  window.later ??= window.setTimeout
  window.setTimeout = (f, ms) => ms === 5 ? f() : later(f, ms)  // it pauses after each of 250 answers
  document.querySelector('#search-results').replaceChildren()
  Search.performSearch(words)
}"""


def answers(page, address, words):
    "The first five pages that the search page finds; it is opened once, and its index read once"
    if not page.url.startswith(f'{address}/search.html'):
        page.goto(f'{address}/search.html?q={words.replace(" ", "+")}')
    else:
        page.evaluate(again, words)
    page.wait_for_function(
        "() => /found|did not match/i.test(document.querySelector('#search-results').innerText)"
    )
    links = page.evaluate(
        "() => [...document.querySelectorAll('#search-results ul.search li > a')].map(a => a.href)"
    )
    found = [re.sub(r'[?#].*|\.html.*', '', link.removeprefix(address + '/')) for link in links]
    return list(dict.fromkeys(found))[:5]


@browsing
def test_search_finds_what_newcomers_type(built, browser):
    site, _ = built
    with served(site) as address:
        page = browser.new_page()
        wrong = {}
        for words, wanted in searches.items():
            found = answers(page, address, words)
            if not any(re.match(w, f) for w in wanted.split('|') for f in found):
                wrong[words] = found
        nonsense = answers(page, address, 'xylophonic quagmire')
        page.close()
    assert wrong == {} and nonsense == []


# What newcomers have -> the links that they follow from the home page, and a word on the page where they end
paths = {
    'a folder of images and a model to clean': (
        ['delete a class', 'Choose a method', 'scrub', 'All methods'],
        'A card for each',
    ),
    'a new method to compare': (
        ['add it', 'Run a grid on a cluster', 'Choose a method'],
        'What each reads and serves',
    ),
    'a report to be understood': (
        ['read an audit', 'what may be claimed', 'How to read it', 'glossary'],
        'Measures of an audit',
    ),
    'the UNSIR paper': (
        ['reproduce UNSIR', 'the card', 'Notebook'],
        'Forget classes with learned noise',
    ),
}

def follow(page, address, links):
    "Click through links by their words, within what the page says; returns the pages seen"
    page.goto(f'{address}/index.html')
    seen = []
    for words in links:
        page.locator('main a, .bd-sidebar-primary a').get_by_text(words, exact=True).first.click(timeout=5000)
        page.wait_for_load_state()
        seen.append(page.url.removeprefix(address + '/').split('#')[0].removesuffix('.html'))
    return seen


@browsing
@pytest.mark.parametrize('who', paths)
def test_a_newcomer_finds_the_way(built, browser, who):
    site, _ = built
    links, last = paths[who]
    with served(site) as address:
        page = browser.new_page()
        seen = follow(page, address, links)
        assert last in page.locator('main').inner_text(), seen
        page.close()


# Pages made from registry and results


def test_every_method_has_a_card(built):
    site, _ = built
    table = (site / 'methods' / 'index.html').read_text()
    for name, card in docs_tables.registries()['cards'].items():
        html = (site / 'methods' / f'{name}.html').read_text()
        assert f'href="{name}.html"' in table, name
        assert card['equation'] or name in docs_cards.equations, (
            f'{name} has no equation: put one into `equations` of tools/docs_cards.py or on the class'
        )
        assert '<math' in html and 'When it fails' in html and 'Settings' in html, name
        told = [f for f in docs_cards.stories() if f == name]
        assert told, f'no notebook defines {name}'


def test_the_cards_say_what_the_files_say():
    "By hand from the file: SSD on CIFAR-10, and the spread of three values"
    import json

    rows = json.loads((root / 'results/methods_cifar10/results.json').read_text())['rows']
    mine = [r['A_Df'] for r in rows if r['method'] == 'ssd' and r['request'] == 'class']
    assert len(mine) == 3
    middle = sum(mine) / 3
    wide = (sum((a - middle) ** 2 for a in mine) / 2) ** 0.5
    text = f'{100 * middle:.1f}\u00a0±\u00a0{100 * wide:.1f}'
    assert text in docs_cards.results_table('ssd') and text in docs_cards.table_of_cards()
    assert docs_cards.spread([0.1, 0.2, 0.3]) == '20.0\u00a0±\u00a010.0' and docs_cards.spread([]) == '–'
    lines = docs_cards.choice('class', True).splitlines()
    ssd = next(line for line in lines if '[ssd]' in line)
    assert f'{100 * middle:.1f}' in ssd and 'retrain' not in ' '.join(lines[2:]).replace('retrained', '')
    names = [re.search(r'\[(\w+)\]', line)[1] for line in lines[2:]]
    assert names.index('neggrad') < names.index('ascent') < len(names)
    assert not any('[finetune]' in line for line in lines) and 'finetune' in docs_cards.choice('class', False)


def test_every_measure_says_what_it_cannot():
    for m in docs_tables.registries()['measures']:
        assert m['says'] and docs_tables.limits(m) and docs_tables.span(m), m['name']
        assert m.get('better') or docs_tables.aims[m['proves']], m['name']


def test_deprecations_are_listed(built):
    site, _ = built
    html = (site / 'about' / 'deprecations.html').read_text()
    using = [
        f for f in (root / 'unlearn_nb').glob('**/*.py')
        if re.search(r'^__getattr__ = moved\(', f.read_text(), re.M)
    ]  # fmt: skip
    found = dict(docs_cards.shims())
    assert len(found) == len(using) > 0 and all(found.values())
    for module in found:
        assert f'unlearn_nb.{module}' in html, module


def test_every_figure_is_in_the_gallery(built):
    site, _ = built
    html = (site / 'about' / 'gallery.html').read_text()
    figures = sum(
        any('image/png' in o.get('data', {}) for o in c.get('outputs', []))
        for b in docs.notebooks()
        for c in docs.convert(b, {}, {}).cells
    )
    assert html.count('src="../_static/gallery/') >= figures > 20


def test_tutorials_open_in_colab(built):
    site, _ = built
    for b in docs.notebooks():
        if b.section in ('tutorials', 'concepts', 'papers'):
            rel = b.path.relative_to(root).as_posix()
            assert f'href="{docs.colab}/{rel}"' in (site / f'{b.doc}.html').read_text(), b.doc


# Commands in the pages exist


def commands(text):
    "Calls of the command line in the shell blocks of a page, as lists of words"
    import shlex

    for block in re.findall(r'^```(?:sh|bash|console)\n(.*?)^```', text, re.M | re.S):
        for line in block.replace('\\\n', ' ').splitlines():
            words = shlex.split(line, comments=True)
            if 'unlearn-nb' in words:
                yield words[words.index('unlearn-nb') + 1 :]


def unknown_words(words):
    "Command, options and grids that there are not"
    from typer.main import get_command

    from unlearn_nb.cli.shell import app

    group = get_command(app)
    if words[0].startswith('-'):
        return [w for w in words if not any(w in p.opts for p in group.params)]
    if words[0] not in group.commands:
        return [words[0]]
    known = {o for p in group.commands[words[0]].params for o in [*p.opts, *p.secondary_opts]}
    wrong = [w for w in words[1:] if w.startswith('--') and w.split('=')[0] not in known | {'--help'}]
    return wrong + [w for w in words if w.startswith('grids/') and not (root / w).exists()]


def test_commands_in_pages_exist():
    import nbformat

    texts = {f: f.read_text() for f in sorted(docs.hand.glob('**/*.md'))}
    for b in docs.notebooks():
        cells = nbformat.read(b.path, 4).cells
        texts[b.path] = '\n\n'.join(c.source for c in cells if c.cell_type == 'markdown')
    called = [(f, words) for f, text in texts.items() for words in commands(text)]
    wrong = {f'{f.name}: {" ".join(words)}': bad for f, words in called if (bad := unknown_words(words))}
    assert len(called) > 15 and wrong == {}


@pytest.mark.parametrize('line', ['bench g.toml --colour', 'dance', '--verse', 'bench grids/none.toml'])
def test_a_command_that_is_not_there_is_seen(line):
    (words,) = commands(f'```sh\nA=1 unlearn-nb {line}  # so\n```\n')
    assert len(unknown_words(words)) == 1


def test_one_version_everywhere():
    import version

    assert len(set(version.versions().values())) == 1, version.versions()
    assert len(set(version.versions('v0.0.0').values())) == 2


# How-to pages do what they say


def fences(file):
    return re.findall(r'^```python\n(.*?)^```\s*?$', file.read_text(), re.M | re.S)


def run_page(file, folder, monkeypatch):
    "Execute a page's Python blocks in order, in a folder of its own; returns the names it made"
    monkeypatch.chdir(folder)
    names = {'__name__': 'page'}
    for i, block in enumerate(fences(file)):
        exec(compile(block, f'{file.name}, block {i + 1}', 'exec'), names)
    return names


@pytest.mark.parametrize('name', sorted(f.name for f in (root / 'docs' / 'howto').glob('*.md') if fences(f)))
def test_howto(name, tmp_path, monkeypatch):
    run_page(root / 'docs' / 'howto' / name, tmp_path, monkeypatch)


def test_a_page_that_does_not_run_is_seen(tmp_path, monkeypatch):
    page = tmp_path / 'page.md'
    page.write_text('# T\n\n```python\na = 1\n```\n\n```sh\nexit 1\n```\n\n```python\nassert a == 2\n```\n')
    with pytest.raises(AssertionError):
        run_page(page, tmp_path, monkeypatch)
    page.write_text(page.read_text().replace('== 2', '== 1'))
    assert run_page(page, tmp_path, monkeypatch)['a'] == 1

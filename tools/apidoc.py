"""Pages of the API, read from the package's source: signatures, docments, fields, methods by @patch.

Nothing is imported, so a page can't differ from what is written, and no default prints as an address.
"""

import ast
import io
import json
import re
import tokenize
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

root = Path(__file__).parent.parent
package = 'unlearn_nb'


@dataclass
class Param:
    name: str
    type: str = ''  # Annotation as written
    default: str | None = None  # As written; None: has none
    doc: str = ''  # The docment
    kind: str = ''  # '*', '**' or ''
    counts: bool = True  # False: nobody need explain it (`**kwargs` that are delegated)


@dataclass
class Item:
    "A public name"

    name: str  # Short, `Class.method` for methods
    module: str  # Dotted, without the package
    kind: str  # class, function, method, property, data
    doc: str = ''
    params: list = field(default_factory=list)
    returns: str = ''
    return_doc: str = ''
    raises: str = ''
    keyword_from: int | None = None  # Parameters from here on are given by name
    fields: bool = False  # The parameters are a dataclass's fields
    attributes: list = field(default_factory=list)
    members: list = field(default_factory=list)
    bases: list = field(default_factory=list)
    lines: tuple = (0, 0)
    decorators: list = field(default_factory=list)
    value: str = ''
    like: str = ''  # `Base.method` whose words are taken over

    @property
    def full(self):
        return f'{package}.{self.module}.{self.name}'

    def missing(self):
        "Parameters without a word"
        return [p.name for p in self.params if p.counts and not p.doc]


class Note(str):
    "A comment; `alone` if nothing else is on its line"

    alone = False


def comments(source):
    "Line -> comment, without directives"
    found, lines = {}, source.splitlines()
    for t in tokenize.generate_tokens(io.StringIO(source).readline):
        if t.type == tokenize.COMMENT and not t.string.startswith(('#|', '# %%')):
            found[t.start[0]] = note = Note(t.string.lstrip('#').strip())
            note.alone = lines[t.start[0] - 1].lstrip().startswith('#')
    return found


def above(notes, line):
    "Comments that stand alone right above a line, as one text"
    found = []
    while (line := line - 1) in notes and notes[line].alone:
        found.insert(0, notes[line])
    return ' '.join(found)


def written(node):
    "Code of a node on one line"
    return ' '.join(ast.unparse(node).split()) if node is not None else ''


def annotation(node):
    "A type as written, a string annotation without its quotes"
    return written(node).strip('\'"')


def default_of(node):
    "A default, readable: a dataclass's `field(default_factory=list)` is `[]`"
    if isinstance(node, ast.Call) and written(node.func) in ('field', 'dataclasses.field'):
        for k in node.keywords:
            if k.arg == 'default':
                return written(k.value)
            if k.arg == 'default_factory':
                body = k.value.body if isinstance(k.value, ast.Lambda) else k.value
                return {'list': '[]', 'dict': '{}', 'set': 'set()'}.get(written(body), written(body))
        return None
    return written(node)


def annotated(node, aliases):
    "`(type, Option(help=...))` of an `Annotated` parameter, written out or by a name; else (None, None)"
    if isinstance(node, ast.Name):
        node = aliases.get(node.id)
    if not isinstance(node, ast.Subscript) or written(node.value).split('.')[-1] != 'Annotated':
        return None, None
    kind, said = node.slice.elts[:2]
    if other := re.fullmatch(r'(\w+)\.__metadata__\[0\]', written(said)):
        said = annotated(ast.Name(other[1]), aliases)[1]
    return kind, said


def help_of(node):
    "What `typer.Option(help=...)` or `Argument(help=...)` says: the command line's word for a parameter"
    if not isinstance(node, ast.Call) or call_name(node) not in ('Option', 'Argument'):
        return ''
    words = [k.value.value for k in node.keywords if k.arg == 'help' and isinstance(k.value, ast.Constant)]
    return words[0].replace('\\[', '[') if words else ''


def aliases_of(files):
    "Name -> node of every `Name = Annotated[...]` of a module's top"
    found = {}
    for f in files:
        for n in ast.parse(f.read_text()).body:
            if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name):
                if written(n.value).startswith('Annotated['):
                    found[n.targets[0].id] = n.value
    return found


def call_name(node):
    "`name` of a decorator, called or not"
    node = node.func if isinstance(node, ast.Call) else node
    return written(node).split('.')[-1]


def in_repr(node):
    "False for `field(init=False)`"
    return not (
        isinstance(node, ast.Call)
        and any(k.arg == 'init' and written(k.value) == 'False' for k in node.keywords)
    )


def split_raises(text):
    "What a return's docment says about errors, apart"
    m = re.search(r'(?:^|[;.,(]\s*)([Rr]aises\b.*)$', text)
    if not m:
        return text, ''
    return text[: m.start()].rstrip(' ;,.('), m[1].removesuffix(')') if '(' not in m[1] else m[1]


def function(node, module, notes, kind='function', owner='', aliases=()):
    "A public function or method"
    aliases = dict(aliases)
    a, decorators = node.args, [call_name(d) for d in node.decorator_list]
    plain = [*a.posonlyargs, *a.args]
    defaults = [None] * (len(plain) - len(a.defaults)) + list(a.defaults)
    rows = [(p, d, '') for p, d in zip(plain, defaults)]
    if a.vararg:
        rows.append((a.vararg, None, '*'))
    keyword_from = len(rows) if a.kwonlyargs else None
    rows += [(p, d, '') for p, d in zip(a.kwonlyargs, a.kw_defaults)]
    if a.kwarg:
        rows.append((a.kwarg, None, '**'))
    if owner and rows and rows[0][0].arg in ('self', 'cls') and 'staticmethod' not in decorators:
        rows = rows[1:]
        keyword_from = None if keyword_from is None else keyword_from - 1
    ends = [max(p.end_lineno, d.end_lineno if d is not None else 0) for p, d, _ in rows]
    body = node.body[0].lineno
    head = max([node.lineno, *ends, *([node.returns.end_lineno] if node.returns is not None else [])])
    params = []
    for i, (p, d, star) in enumerate(rows):
        last = i + 1 == len(rows) or ends[i + 1] > ends[i]
        alone = ends[i] != node.lineno or body == node.lineno or head != node.lineno
        doc = notes.get(ends[i], '') if last and alone else ''
        first = p.lineno > node.lineno and (i == 0 or p.lineno > ends[i - 1])
        doc = doc or (above(notes, p.lineno) if first else '')
        if i + 1 == len(rows) and head == ends[i] and node.returns is not None:
            doc = ''
        delegated = star == '**' and 'delegates' in decorators
        of, said = annotated(p.annotation, aliases)
        if help_of(d):  # typer's older way: the option is the default
            said, d = d, d.args[0] if d.args else None
        default = default_of(d) if d is not None else None
        kind_of = annotation(p.annotation if of is None else of)
        params.append(Param(p.arg, kind_of, default, doc or help_of(said), star, not delegated))
    after = [notes[n] for n in range(max(ends, default=head), body) if n in notes and n not in ends]
    if not after and node.returns is not None and head in notes and (not rows or head in ends):
        after = [notes[head]]
    return_doc, raises = split_raises(' '.join(after))
    return Item(
        f'{owner}.{node.name}' if owner else node.name,
        module,
        'property' if 'property' in decorators else kind,
        ast.get_docstring(node) or '',
        params,
        annotation(node.returns),
        return_doc,
        raises,
        keyword_from,
        lines=(node.lineno, node.end_lineno),
        decorators=decorators,
    )


def cls(node, module, notes):
    "A public class: fields of a dataclass or parameters of `__init__`, attributes with a word, methods"
    decorators = [call_name(d) for d in node.decorator_list]
    item = Item(
        node.name,
        module,
        'class',
        ast.get_docstring(node) or '',
        bases=[written(b) for b in node.bases],
        lines=(node.lineno, node.end_lineno),
        decorators=decorators,
    )
    for b in node.body:
        if isinstance(b, ast.AnnAssign) and isinstance(b.target, ast.Name):
            p = Param(
                b.target.id,
                annotation(b.annotation),
                default_of(b.value) if b.value is not None else None,
                notes.get(b.end_lineno, '') or above(notes, b.lineno),
            )
            if 'ClassVar' in p.type or p.name.startswith('_'):
                continue
            if 'dataclass' in decorators and in_repr(b.value):
                item.params.append(p)
                item.fields = True
            elif p.doc:
                item.attributes.append(p)
        elif isinstance(b, ast.Assign) and (b.end_lineno in notes or above(notes, b.lineno)):
            for t in b.targets:
                if isinstance(t, ast.Name) and not t.id.startswith('_'):
                    value = written(b.value)
                    note = notes.get(b.end_lineno) or above(notes, b.lineno)
                    item.attributes.append(Param(t.id, '', value, note))
        elif isinstance(b, ast.FunctionDef) and b.name == '__init__':
            made = function(b, module, notes, 'method', node.name)
            item.params, item.keyword_from, item.raises = made.params, made.keyword_from, made.raises
            item.raises = item.raises or split_raises(made.return_doc)[1]
            item.doc = item.doc or made.doc
        elif isinstance(b, ast.FunctionDef) and not b.name.startswith('_'):
            m = function(b, module, notes, 'method', node.name)
            if m.doc or m.params or m.kind == 'property':
                item.members.append(m)
    return item


def read(file, aliases=()):
    "Module name, its docstring, the public items in the order of the source, and what it gets from elsewhere"
    source = file.read_text()
    tree, notes = ast.parse(source), comments(source)
    parts = file.relative_to(root / package).with_suffix('').parts
    module = '.'.join(p for p in parts if p != '__init__')
    public = next(
        (
            ast.literal_eval(n.value)
            for n in tree.body
            if isinstance(n, ast.Assign) and written(n.targets[0]) == '__all__'
        ),
        [],
    )
    items, made = [], {}
    for n in tree.body:
        if isinstance(n, ast.ClassDef) and n.name in public:
            items.append(cls(n, module, notes))
            made[n.name] = items[-1]
        elif isinstance(n, ast.FunctionDef) and 'patch' in [call_name(d) for d in n.decorator_list]:
            if n.name.startswith('_'):
                continue
            owners = re.findall(r'[\w.]+', annotation(n.args.args[0].annotation)) if n.args.args else []
            for owner in owners:
                m = function(n, module, notes, 'method', owner.split('.')[-1])
                if any('as_prop' in written(d) for d in n.decorator_list):
                    m.kind = 'property'
                (made[owner].members if owner in made else items).append(m)
        elif isinstance(n, ast.FunctionDef) and n.name in public:
            items.append(function(n, module, notes, aliases=aliases))
            made[n.name] = items[-1]
        elif isinstance(n, ast.Assign):
            for t in n.targets:
                if isinstance(t, ast.Name) and t.id in public and t.id not in made:
                    lines = (n.lineno, n.end_lineno)
                    items.append(
                        Item(
                            t.id,
                            module,
                            'data',
                            notes.get(n.end_lineno, ''),
                            value=written(n.value),
                            lines=lines,
                        )
                    )
    known = {i.name for i in items}
    return module, ast.get_docstring(tree) or '', items, [n for n in public if n not in known], tree


def modules():
    "Every module of the package that has something public, by name; read again when a file has changed"
    files = sorted((root / package).glob('**/*.py'))
    return modules_of(root, tuple((f, f.stat().st_mtime_ns) for f in files))


@lru_cache(maxsize=1)
def modules_of(where, files):
    "The same of files with the times of their last change"
    found, files = {}, [f for f, _ in files]
    aliases = aliases_of(files)
    for file in files:
        if file.name.startswith('_') and file.name != '__init__.py':
            continue
        module, doc, items, others, tree = read(file, aliases)
        moved = any(isinstance(n, ast.Assign) and written(n.targets[0]) == '__getattr__' for n in tree.body)
        if module and (items or others) and not (moved and not items):
            found[module] = dict(doc=doc, items=items, others=others, file=file.relative_to(where))
    return inherit(found)


def inherit(found):
    """A class without parameters of its own has those of its base; a dataclass has its base's fields first.
    What overrides a field or method of a base has the base's words where it has none of its own"""
    classes = {i.name: i for m in found.values() for i in m['items'] if i.kind == 'class'}

    def complete(item, seen=()):
        if item.name in seen:
            return item.params
        for b in item.bases:
            base = classes.get(b.split('.')[-1])
            if base is None:
                continue
            above = complete(base, (*seen, item.name))
            own = {p.name for p in item.params}
            if item.fields or not item.params:
                extra = [p for p in above if p.name not in own]
                item.inherited = [p.name for p in extra]
                item.params = extra + item.params if item.fields else above
                item.fields = item.fields or base.fields
        return item.params

    own = {id(i): [p.name for p in i.params] for i in classes.values()}
    for i in classes.values():
        for base in bases(i, classes):
            if i.fields and base.fields:
                take_words(i.params, base.params)
            for m in i.members:
                override(m, base)
    for i in classes.values():
        complete(i)
        i.own = own[id(i)]
    return found


def bases(item, classes):
    "The known bases of a class, nearest first"
    for b in item.bases:
        base = classes.get(b.split('.')[-1])
        if base is not None and base is not item:
            yield base
            yield from bases(base, classes)


def take_words(params, words):
    "Fill in what is missing from parameters of the same name; true if something was"
    known = {p.name: p.doc for p in words if p.doc}
    empty = [p for p in params if not p.doc and p.name in known]
    for p in empty:
        p.doc = known[p.name]
    return bool(empty)


def protocol(attribute):
    "Parameters that the comment of a class attribute explains, as '`xb`: inputs of the batch;'"
    found = re.findall(r'`(\w+)`: (.*?)(?=[;.](?: |$)|$)', attribute.doc)
    return [Param(n, doc=d[:1].upper() + d[1:]) for n, d in found]


def override(method, base):
    "A method takes over the words of what it overrides, a method or an attribute that says what to put there"
    name = method.name.split('.')[-1]
    for above in base.members:
        if above.name.split('.')[-1] == name and above is not method:
            told = take_words(method.params, above.params)
            if not method.doc:
                method.doc, told = above.doc, True
            if not method.return_doc and not method.raises and above.return_doc:
                method.return_doc, told = above.return_doc, True
                method.returns = method.returns or above.returns
            if told and not method.like:
                method.like = above.like or above.name
    for a in base.attributes:
        if a.name == name and take_words(method.params, protocol(a)):
            method.like = method.like or f'{base.name}.{name}'
            method.doc = method.doc or a.doc.split('. ')[0].partition(' -> ')[2]


def everything(found=None):
    "All items, members included"
    for m in (found or modules()).values():
        for i in m['items']:
            yield i
            yield from i.members


def missing(found=None):
    "`module.name(parameter)` of every public parameter and field without a word"
    for i in everything(found):
        own = getattr(i, 'own', None)
        for p in i.missing():
            if own is None or p in own:
                yield f'{i.module}.{i.name}({p})'


# Markdown


def names(found):
    "Short name -> full name; a plain word such as `reads` only if `all` gives it to everybody"
    index, curated = {}, set(found['all']['others']) if 'all' in found else set()
    for i in everything(found):
        index[f'{i.module}.{i.name}'] = index[i.full] = i.full
        told = re.search(r'[A-Z_.]', i.name) or i.name in curated
        if told and i.name not in index:
            index[i.name] = i.full
    return index


def escape(text):
    "Docments are almost Markdown; what would be read as something else is escaped, code spans excepted"
    parts = re.split(r'(``[^`]*``|`[^`]*`)', text)
    return ''.join(p if i % 2 else re.sub(r'([\\<>$*_\[\]{}~])', r'\\\1', p) for i, p in enumerate(parts))


def link(text, index, here=''):
    "`name` becomes a link to its entry"

    def one(m):
        word = m[1].removesuffix('()')
        full = index.get(f'{here}.{word}') or index.get(word)
        return f'{{py:obj}}`{m[1]} <{full}>`' if full else m[0]

    return re.sub(r'(?<![`\[}\\])`([A-Za-z_][\w.]*(?:\(\))?)`(?!`)', one, text)


def cell(text):
    return text.replace('|', '\\|').replace('\n', ' ')


def code(text):
    return f'`` {cell(text)} ``' if '`' in text else f'`{cell(text)}`'


def short(text, n=60):
    return text if len(text) <= n else text[: n - 1].rstrip() + '…'


def signature(item):
    "As a call is written, with defaults that are readable"
    out = []
    star = any(p.kind == '*' for p in item.params)
    for i, p in enumerate(item.params):
        if item.keyword_from == i and not star:
            out.append('*')
        text = p.kind + p.name + (f': {p.type}' if p.type else '')
        if p.default is not None:
            value = p.default if len(p.default) <= 60 else '...'
            text += f' = {value}' if p.type else f'={value}'
        out.append(text)
    return '(' + ', '.join(out) + ')' + (f' -> {item.returns}' if item.returns else '')


def table(params, what, index, inherited=()):
    "parameter | type | default | meaning"
    if not params:
        return ''
    rows = [f'| {what} | type | default | meaning |', '|---|---|---|---|']
    for p in params:
        doc = link(escape(p.doc), index) if p.doc else ''
        default = (
            'required' if p.default is None and not p.kind else (code(short(p.default)) if p.default else '')
        )
        rows.append(
            f'| {code(p.kind + p.name)} | {code(p.type) if p.type else ""} | {default} | {cell(doc)} |'
        )
    return '\n'.join(['', ':::{rst-class} params', ':::', '', *rows, ''])


def entry(item, index, url, depth=0):
    "The directive of one item, its members inside"
    ticks = ':' * (7 - depth)
    kind = {
        'class': 'class',
        'function': 'function',
        'method': 'method',
        'property': 'property',
        'data': 'data',
    }
    name = item.name
    head = f'{ticks}{{py:{kind[item.kind]}}} {package}.{item.module}.{name}'
    if item.kind in ('function', 'method', 'class'):
        head += signature(item)
    options = []
    if 'classmethod' in item.decorators:
        options.append(':classmethod:')
    if 'staticmethod' in item.decorators:
        options.append(':staticmethod:')
    if item.kind == 'property' and item.returns:
        options.append(f':type: {item.returns}')
    if item.kind == 'data' and item.value and len(item.value) < 70 and '\n' not in item.value:
        options.append(':value: ' + json.dumps(item.value))
    body = []
    if item.doc:
        body.append(link(escape(item.doc), index))
    if item.like:
        body.append(f'As in {link(f"`{item.like}`", index)}.')
    what = 'field' if item.fields else 'parameter'
    body.append(table(item.params, what, index))
    if item.attributes:
        body.append(table(item.attributes, 'attribute', index))
    if item.return_doc:
        body.append(f'**Returns** {link(escape(item.return_doc), index)}')
    if item.raises:
        said = item.raises[0].upper() + item.raises[1:]
        body.append(f'**{said.split()[0]}** {link(escape(said.split(" ", 1)[1]), index)}')
    first, last = item.lines
    body.append(f'[source]({url}#L{first}-L{last}){{.source}}')
    body += [entry(m, index, url, depth + 1) for m in item.members]
    return '\n'.join([head, *options, '', *(b + '\n' for b in body if b), ticks, ''])


def module_page(name, m, index, url, notebook=None):
    "Markdown of one module's page; `notebook`: the page that defines it"
    text = [f'# {name}', '', f'> {escape(m["doc"])}' if m['doc'] else '', '']
    if notebook:
        text += [f'Defined, explained and tested in [the notebook](/{notebook}).', '']
    if m['items']:
        text += ['| name | what it is |', '|---|---|']
        for i in m['items']:
            first = i.doc.splitlines()[0] if i.doc else ''
            text.append(f'| {{py:obj}}`{i.name} <{i.full}>` | {cell(link(escape(first), index))} |')
        text += ['', '']
    text += [entry(i, index, f'{url}/{m["file"]}') for i in m['items']]
    homes = {n: index[n] for n in m['others'] if n in index}
    if homes:
        text += ['## Names from other modules', '', '| name | defined in |', '|---|---|']
        text += [
            f'| {{py:obj}}`{n} <{full}>` | `{full.rsplit(".", 1)[0]}` |' for n, full in sorted(homes.items())
        ]
    return '\n'.join(text) + '\n'

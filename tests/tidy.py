#!/usr/bin/python3
"""tidy.py BUILD_DIR [--deep]: clang-tidy over our files in BUILD_DIR/compile_commands.json; prints TAP.

The static analyzer looks at one function at a time; with --deep also across calls, which takes four times as long.
What passed is remembered in BUILD_DIR/tidy-passed by a digest of .clang-tidy, the flags, the source, every header of
ours that it includes and the versions of the installed packages, so that a second run costs only what changed.

Most of clang-tidy's time goes into headers that are not ours. So files are looked at together, as one that includes
them, with the macros and include paths of all; when there is anything to say about such a batch, its halves are looked
at, at last each file by itself: only that decides, and is shown.
"""
import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

import batches

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CONFIG = os.path.join(ROOT, '.clang-tidy')
with open(CONFIG, 'rb') as style_file:
    STYLE = style_file.read()
SHALLOW = ['--extra-arg=' + word for word in ('-Xclang', '-analyzer-config', '-Xclang', 'mode=shallow')]
BATCH = 24
PACKAGES = subprocess.check_output(['dpkg-query', '--show'])  # their headers
OURS = re.compile(r'^(common|ipam|cnm|plugins|tests|integration)/')


class Unit:
    """A translation unit of ours: a file and how it is compiled."""

    def __init__(self, entry, build, options):
        self.file, self.directory = entry['file'], entry['directory']
        self.path = os.path.relpath(self.file, ROOT)
        words = shlex.split(entry['command'])
        while '-o' in words:
            del words[words.index('-o'):words.index('-o') + 2]
        words = [word for word in words if word not in ('-c', self.file)]
        self.flags = tuple(words[[os.path.basename(word) for word in words].index('clang++') + 1:])
        self.build, self.options = build, options
        self.stamp = os.path.join(build, 'tidy-passed', self.digest())

    def digest(self):
        """What a verdict depends on."""
        digest = hashlib.sha256(STYLE + PACKAGES + repr((self.options, self.flags)).encode())
        for path in sorted(batches.with_headers(self.file)):
            digest.update(f'{path}\0{batches.read(path)}'.encode())
        return digest.hexdigest()

    def remember(self):
        """Marks it as passed."""
        with open(self.stamp, 'w', encoding='utf-8') as mark:
            mark.write(self.path + '\n')


def split(flags):
    """The flags without macros and include paths, and those."""
    plain, extra, rest = [], [], iter(flags)
    for flag in rest:
        if flag == '-isystem':
            extra.append((flag, next(rest)))
        elif flag.startswith(('-D', '-I')):
            extra.append((flag,))
        else:
            plain.append(flag)
    return tuple(plain), extra


def run_tidy(source, units):
    """clang-tidy over `source`, compiled as `units` are; (passed, output)."""
    extra = dict.fromkeys(flag for unit in units for flag in split(unit.flags)[1])
    flags = [word for flag in extra for word in flag] + list(split(units[0].flags)[0])
    unit = units[0]
    command = ['clang-tidy', '--quiet', f'--config-file={CONFIG}', *unit.options, source, '--', *flags]
    result = subprocess.run(command, cwd=unit.directory, capture_output=True, text=True)
    return result.returncode == 0, result.stdout + result.stderr


def look_at(units):
    """Yields (unit, passed, output) for each of a batch."""
    if len(units) == 1:
        passed, output = run_tidy(units[0].file, units)
        if passed:
            units[0].remember()
        yield units[0], passed, output
        return
    # The analyzer follows paths through included sources only if the including one's name has this in it.
    with tempfile.NamedTemporaryFile('w', prefix='UnifiedSource', suffix='.cc', dir=units[0].build) as batch:
        batch.writelines(f'#include "{unit.file}"  // NOLINT(bugprone-suspicious-include)\n' for unit in units)
        batch.flush()
        passed, _ = run_tidy(batch.name, units)
    if passed:
        for unit in units:
            unit.remember()
            yield unit, True, ''
    else:
        yield from look_at(units[:len(units) // 2])
        yield from look_at(units[len(units) // 2:])


def in_batches(units):
    """The units in lists that can be looked at together."""
    alike = {}
    for unit in units:
        alike.setdefault(split(unit.flags)[0], {})[unit.file] = unit
    for found in alike.values():
        for files in batches.batches(list(found), BATCH, strangers=True):
            yield [found[file] for file in files]


def show(path, passed, output):
    """One line of TAP, and why."""
    print(f'{"ok" if passed else "not ok"} - {path}', flush=True)
    for line in output.splitlines() if not passed else []:
        print('# ' + line)
    return passed


def main(build, *deep):
    """Looks at everything; 0 if all passed."""
    build = os.path.abspath(build)
    os.makedirs(os.path.join(build, 'tidy-passed'), exist_ok=True)
    with open(os.path.join(build, 'compile_commands.json'), encoding='utf-8') as file:
        units = {entry['file']: Unit(entry, build, [] if deep else SHALLOW) for entry in json.load(file)
                 if OURS.match(os.path.relpath(entry['file'], ROOT))}
    print(f'1..{len(units)}')
    all_passed, waiting = True, []
    for unit in units.values():
        if os.path.exists(unit.stamp):
            show(unit.path, True, '')
        else:
            waiting.append(unit)
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for verdicts in concurrent.futures.as_completed(
                [pool.submit(lambda batch: list(look_at(batch)), batch) for batch in in_batches(waiting)]):
            for unit, passed, output in verdicts.result():
                all_passed &= show(unit.path, passed, output)
    return 0 if all_passed else 1


if len(sys.argv) < 2 or sys.argv[2:] not in ([], ['--deep']):
    sys.exit(__doc__)
sys.exit(main(*sys.argv[1:]))

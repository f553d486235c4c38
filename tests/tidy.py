#!/usr/bin/python3
"""tidy.py BUILD_DIR [--deep]: clang-tidy over our files in BUILD_DIR/compile_commands.json; prints TAP.

The static analyzer looks at one function at a time; with --deep also across calls, which takes four times as long.
What passed is remembered in BUILD_DIR/tidy-passed by a digest of .clang-tidy, the command and the preprocessed source
(comments included, because NOLINT is one), so that a second run costs only what changed.

Most of clang-tidy's time goes into headers that are not ours. So files with the same flags are looked at together, as
one that includes them; when there is anything to say about such a batch, its halves are looked at, at last each file
by itself: only that decides, and is shown.
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
BATCH = 16
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
        self.build, self.options, self.stamp = build, options, ''

    def find_stamp(self):
        """Decides which file says that it passed; raises CalledProcessError if it does not preprocess."""
        text = subprocess.check_output(['clang++', *self.flags, '-E', '-C', self.file], cwd=self.directory,
                                       stderr=subprocess.DEVNULL)
        digest = hashlib.sha256(STYLE + repr((self.options, self.flags)).encode() + text).hexdigest()
        self.stamp = os.path.join(self.build, 'tidy-passed', digest)

    def remember(self):
        """Marks it as passed."""
        with open(self.stamp, 'w', encoding='utf-8') as mark:
            mark.write(self.path + '\n')


def run_tidy(source, unit):
    """clang-tidy over `source`, compiled as `unit` is; (passed, output)."""
    command = ['clang-tidy', '--quiet', f'--config-file={CONFIG}', *unit.options, source, '--', *unit.flags]
    result = subprocess.run(command, cwd=unit.directory, capture_output=True, text=True)
    return result.returncode == 0, result.stdout + result.stderr


def look_at(units):
    """Yields (unit, passed, output) for each of a batch."""
    if len(units) == 1:
        passed, output = run_tidy(units[0].file, units[0])
        if passed:
            units[0].remember()
        yield units[0], passed, output
        return
    # The analyzer follows paths through included sources only if the including one's name has this in it.
    with tempfile.NamedTemporaryFile('w', prefix='UnifiedSource', suffix='.cc', dir=units[0].build) as batch:
        batch.writelines(f'#include "{unit.file}"  // NOLINT(bugprone-suspicious-include)\n' for unit in units)
        batch.flush()
        passed, _ = run_tidy(batch.name, units[0])
    if passed:
        for unit in units:
            unit.remember()
            yield unit, True, ''
    else:
        yield from look_at(units[:len(units) // 2])
        yield from look_at(units[len(units) // 2:])


def known(unit):
    """(unit, whether it passed before, what is wrong with it)"""
    try:
        unit.find_stamp()
        return unit, os.path.exists(unit.stamp), ''
    except subprocess.CalledProcessError as error:
        return unit, False, f'does not preprocess: {error}'


def in_batches(units):
    """The units in lists that can be looked at together."""
    alike = {}
    for unit in units:
        alike.setdefault(unit.flags, {})[unit.file] = unit
    for found in alike.values():
        for files in batches.batches(list(found), BATCH):
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
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for unit, passed, trouble in pool.map(known, units.values()):
            if passed or trouble:
                all_passed &= show(unit.path, passed, trouble)
            else:
                waiting.append(unit)
        for verdicts in concurrent.futures.as_completed(
                [pool.submit(lambda batch: list(look_at(batch)), batch) for batch in in_batches(waiting)]):
            for unit, passed, output in verdicts.result():
                all_passed &= show(unit.path, passed, output)
    return 0 if all_passed else 1


if len(sys.argv) < 2 or sys.argv[2:] not in ([], ['--deep']):
    sys.exit(__doc__)
sys.exit(main(*sys.argv[1:]))

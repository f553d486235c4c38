#!/usr/bin/python3
"""tidy.py BUILD_DIR [--deep]: clang-tidy over our files in BUILD_DIR/compile_commands.json; prints TAP.

The static analyzer looks at one function at a time; with --deep also across calls, which takes four times as long.
What passed is remembered in BUILD_DIR/tidy-passed by a digest of .clang-tidy, the command and the preprocessed source
(comments included, because NOLINT is one), so that a second run costs only what changed.
"""
import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
with open(os.path.join(ROOT, '.clang-tidy'), 'rb') as style_file:
    STYLE = style_file.read()
SHALLOW = ['--extra-arg=' + word for word in ('-Xclang', '-analyzer-config', '-Xclang', 'mode=shallow')]
OURS = re.compile(r'^(common|ipam|cnm|plugins|tests|integration)/')


def preprocess(entry):
    """The translation unit as clang-tidy sees it."""
    words = shlex.split(entry['command'])
    while '-o' in words:
        del words[words.index('-o'):words.index('-o') + 2]
    words = [word for word in words if word != '-c']
    return subprocess.check_output(words + ['-E', '-C'], cwd=entry['directory'], stderr=subprocess.DEVNULL)


def tidy(entry, build, options):
    """Returns (path, passed, output)."""
    path = os.path.relpath(entry['file'], ROOT)
    try:
        digest = hashlib.sha256(STYLE + repr((options, entry['command'])).encode() + preprocess(entry)).hexdigest()
    except subprocess.CalledProcessError as error:
        return path, False, f'does not preprocess: {error}'
    stamp = os.path.join(build, 'tidy-passed', digest)
    if os.path.exists(stamp):
        return path, True, ''
    result = subprocess.run(['clang-tidy', '--quiet', *options, '-p', build, entry['file']], capture_output=True,
                            text=True)
    if result.returncode == 0:
        with open(stamp, 'w', encoding='utf-8') as mark:
            mark.write(path + '\n')
    return path, result.returncode == 0, result.stdout + result.stderr


def main(build, *deep):
    build = os.path.abspath(build)
    os.makedirs(os.path.join(build, 'tidy-passed'), exist_ok=True)
    options = [] if deep else SHALLOW
    with open(os.path.join(build, 'compile_commands.json'), encoding='utf-8') as file:
        entries = {entry['file']: entry for entry in json.load(file)
                   if OURS.match(os.path.relpath(entry['file'], ROOT))}
    print(f'1..{len(entries)}')
    all_passed = True
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for future in concurrent.futures.as_completed(
                [pool.submit(tidy, entry, build, options) for entry in entries.values()]):
            path, passed, output = future.result()
            all_passed = all_passed and passed
            print(f'{"ok" if passed else "not ok"} - {path}', flush=True)
            for line in output.splitlines() if not passed else []:
                print('# ' + line)
    return 0 if all_passed else 1


if len(sys.argv) < 2 or sys.argv[2:] not in ([], ['--deep']):
    sys.exit(__doc__)
sys.exit(main(*sys.argv[1:]))

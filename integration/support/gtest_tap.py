#!/usr/bin/python3
"""gtest_tap.py PROGRAM...: runs GoogleTest programs and prints their cases as TAP. A program that dies is a failure."""
import os
import re
import subprocess
import sys

CASE = re.compile(r'\[ +(OK|FAILED|SKIPPED) +\] ([\w/]+\.[\w/]+)(?:, where.*)?(?: \(\d+ ms\))$')


def run(program):
    """Prints one TAP line per case; returns whether all passed."""
    name, failed, output = os.path.basename(program), False, []
    process = subprocess.Popen([program, '--gtest_color=no'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, errors='replace')
    for line in process.stdout:
        case = CASE.match(line.rstrip())
        if not case:
            output.append(line)
            continue
        verdict, test = case.groups()
        reason = ' '.join(' '.join(output).split('Skipped')[-1].split())
        print({'OK': f'ok - {test}', 'FAILED': f'not ok - {test}',
               'SKIPPED': f'ok - {test} # skip {reason}'}[verdict])
        if verdict == 'FAILED':
            failed = True
            explain(output)
        output = []
    if process.wait() != 0 and not failed:
        failed = True
        print(f'not ok - {name} ended with status {process.returncode}')
        explain(output)
    sys.stdout.flush()
    return not failed


def explain(output):
    for line in output:
        print('# ' + line.rstrip())


if len(sys.argv) < 2:
    sys.exit(__doc__)
sys.exit(0 if all([run(program) for program in sys.argv[1:]]) else 1)

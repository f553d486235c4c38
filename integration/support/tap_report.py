#!/usr/bin/python3
"""tap_report.py TIER LOG EXPECTED_SKIPS: reads a tier's TAP from stdin, shows failures and progress, keeps all in LOG.

The last line on stdout is `TIER passed failed skipped`, for tests/run.sh to sum up. These count as failures too: a skip
that is not in EXPECTED_SKIPS (lines of `TIER: test # reason`), a test that was planned and did not run, a runner that
fails (`# RUNNER ended with status N`) without saying why, no test at all.
"""
import re
import sys
import time

PROGRESS_EVERY_S = 10
RESULT = re.compile(r'(not )?ok\b\s*\d*\s*(?:- )?(.*?)(?:\s+#\s*skip\b\s*(.*))?$', re.IGNORECASE)
STATUS = re.compile(r'# (\S+) ended with status (\d+)$')
PLAN = re.compile(r'1\.\.(\d+)')


def read_expected(path):
    with open(path, encoding='utf-8') as lines:
        return {line.strip() for line in lines if line.strip() and not line.startswith('#')}


class Report:
    def __init__(self, tier, expected_skips):
        self.tier, self.expected_skips = tier, expected_skips
        self.passed = self.failed = self.skipped = self.planned = 0
        self.diagnosing = False  # the lines after a failed test belong to it
        self.shown = time.monotonic()

    def fail(self, text):
        self.failed += 1
        print(f'  {self.tier}: {text}', flush=True)

    def read(self, line):
        plan, result, status = PLAN.match(line), RESULT.match(line), STATUS.match(line.rstrip())
        if plan:
            self.planned += int(plan[1])
        elif result:
            self.judge(*result.groups())
        elif status and int(status[2]) and not self.failed:
            self.fail(f'{status[1]} ended with status {status[2]}')
        elif self.diagnosing and line.startswith('#'):
            print('    ' + line[1:].rstrip(), flush=True)

    def judge(self, not_ok, name, skip_reason):
        self.diagnosing = bool(not_ok)
        if not_ok:
            self.fail(f'FAILED {name}')
        elif skip_reason is None:
            self.passed += 1
        elif f'{self.tier}: {name} # {skip_reason}' in self.expected_skips:
            self.skipped += 1
        else:
            self.fail(f'UNEXPECTED SKIP {name} # {skip_reason}')
        if time.monotonic() - self.shown > PROGRESS_EVERY_S:
            self.shown = time.monotonic()
            print(f'  {self.tier}: {self.passed} passed so far', flush=True)

    def close(self):
        seen = self.passed + self.failed + self.skipped
        if self.planned > seen:
            print(f'  {self.tier}: {self.planned - seen} planned tests did not run', flush=True)
            self.failed += self.planned - seen
        elif seen == 0:
            self.fail('no test ran')


def main(tier, log_path, expected_path):
    report = Report(tier, read_expected(expected_path))
    with open(log_path, 'w', encoding='utf-8') as log:
        for line in sys.stdin:
            log.write(line)
            log.flush()
            report.read(line)
    report.close()
    print(tier, report.passed, report.failed, report.skipped)


sys.stdin.reconfigure(encoding='utf-8', errors='replace')
main(*sys.argv[1:])

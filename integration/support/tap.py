# A small test collector: every `test_*` function of a suite runs alone in a private host; prints TAP.
"""A suite is a Python file; a case is a function `test_what_is_true(host)`. Cases marked with
`@needs(probe, "reason")` are skipped with the reason when the probe says so."""

import argparse
import functools
import importlib.util
import os
import pathlib
import re
import sys
import time

from private_host import PrivateFailure, run_private

REFERENCE_DIRECTORY = "/usr/lib/cni"


class Skip(Exception):
    """Raised by a case that cannot run here; its text is the reason."""


def skip_unless(condition, reason):
    """Skips the running case with `reason` unless `condition` holds."""
    if not condition:
        raise Skip(reason)


def sentence(name):
    """`test_add_twice_is_refused` -> `add twice is refused`."""
    return name.removeprefix("test_").replace("_", " ")


def load(path):
    """Imports the suite at `path`."""
    spec = importlib.util.spec_from_file_location(pathlib.Path(path).stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def each(*variants):
    """Decorator: the case runs once for each variant, alone, and gets it as its second argument."""
    def mark(function):
        function.variants = variants
        return function
    return mark


def bind(function, variant):
    """The case of one variant."""
    @functools.wraps(function)
    def case(host):
        return function(host, variant)
    return case


def cases(module):
    """The suite's cases in source order."""
    found = []
    for name, value in vars(module).items():
        if not name.startswith("test_") or not callable(value):
            continue
        if hasattr(value, "variants"):
            found += [(f"{name}_on_{one}", bind(value, one)) for one in value.variants]
        else:
            found.append((name, value))
    return found


def run_case(function, make_host):
    """Runs one case; returns (verdict, text) with verdict ok, not ok or skip."""
    timeout = getattr(function, "timeout", 60)
    try:
        run_private(lambda: function(make_host()) and None, timeout=timeout)
        return "ok", ""
    except PrivateFailure as failure:
        if failure.kind == "Skip":
            return "skip", str(failure)
        return "not ok", explain(failure)


def explain(failure):
    """A failure as a few lines: where in the suite, the source line, and what was said."""
    frames = re.findall(r'File ".*?([^/]+_suite\.py)", line (\d+), in \w+\n +(.*)', failure.trace)
    place = "".join(f"{name}:{line}: {source}\n" for name, line, source in frames[-2:])
    if failure.kind == "AssertionError":
        return place + str(failure)
    return place + f"{failure.kind}: {failure}" + ("" if frames else "\n" + failure.trace)


def allow(seconds):
    """Decorator: the case may take `seconds` instead of 60."""
    def mark(function):
        function.timeout = seconds
        return function
    return mark


def main(suite_directory, make_host):
    """Command line of a suite directory; exits 1 if a case failed."""
    parser = argparse.ArgumentParser(description="Runs the suites of this folder, each case in a private "
                                     "host, and prints TAP.")
    parser.add_argument("--plugins", type=os.path.abspath,
                        default=os.environ.get("CNM_PLUGINS", default_plugins()),
                        help="directory of the plugins to test (default: build/release/bin)")
    parser.add_argument("--reference", type=os.path.abspath, default=REFERENCE_DIRECTORY,
                        help="directory of the reference plugins (default: %(default)s)")
    parser.add_argument("--calibrate", action="store_true",
                        help="the tested plugins are the reference's: stop at CNI 1.0.0, forgive its known gaps")
    parser.add_argument("--list", action="store_true", help="only name the cases")
    parser.add_argument("--times", action="store_true", help="show what each case took")
    parser.add_argument("select", nargs="*", help="SUITE or SUITE:WORD-IN-CASE (default: all)")
    options = parser.parse_args()
    chosen = list(select(suite_directory, options.select))
    if options.list:
        for suite, name, _ in chosen:
            print(f"{suite}: {sentence(name)}")
        return 0
    if os.geteuid() != 0:
        print("1..0 # SKIP needs root")
        return 1
    return run_chosen(chosen, lambda: make_host(options), options)


def run_chosen(chosen, make_host, options):
    """Runs the chosen cases; returns the exit status."""
    counts = {"ok": 0, "not ok": 0, "skip": 0}
    print(f"1..{len(chosen)}", flush=True)
    for number, (suite, name, function) in enumerate(chosen, 1):
        began = time.monotonic()
        verdict, text = run_case(function, make_host)
        counts[verdict] += 1
        took = f" ({time.monotonic() - began:.2f} s)" if options.times else ""
        line = f"{'ok' if verdict == 'skip' else verdict} {number} {suite}: {sentence(name)}{took}"
        print(line + (f" # SKIP {text}" if verdict == "skip" else ""), flush=True)
        if verdict == "not ok":
            print("\n".join(f"# {row}" for row in text.rstrip().splitlines()), flush=True)
    print(f"# passed {counts['ok']}, failed {counts['not ok']}, skipped {counts['skip']}")
    return 1 if counts["not ok"] or not chosen else 0


def default_plugins():
    """build/release/bin of this tree."""
    return str(pathlib.Path(__file__).resolve().parents[2] / "build/release/bin")


def select(directory, wanted):
    """(suite, name, function) of the cases that `wanted` names; all if it is empty."""
    for path in sorted(pathlib.Path(directory).glob("*_suite.py")):
        suite = path.stem.removesuffix("_suite")
        rules = [word.partition(":") for word in wanted]
        if rules and not any(rule[0] == suite for rule in rules):
            continue
        for name, function in cases(load(path)):
            if not rules or any(rule[0] == suite and rule[2].replace(" ", "_") in name
                                for rule in rules):
                yield suite, name, function


def fail(text):
    """Ends the program with a message about its use."""
    sys.exit(f"{sys.argv[0]}: {text}")

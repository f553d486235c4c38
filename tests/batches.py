#!/usr/bin/python3
"""batches.py SIZE SOURCE...: prints a number for each SOURCE, in order: those of one number compile as one file.

Files that are compiled together share their headers, and most of a compiler's time here goes into headers. They also
share their unnamed namespaces, so two that declare the same file-local name may not meet; nor may one whose headers
declare, nearer, a name that the other uses for something else. It is the text that is searched for such names: a name
too many costs a batch, one too few makes that batch fail to compile.
"""
import functools
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
INCLUDE = re.compile(r'^ *# *include "([^"]+)"', re.M)
NAMESPACE = re.compile(r'^namespace ([\w:]+) \{', re.M)
KERNEL_OR_LIBC = re.compile(r'^#include <(linux|netlink|libiptc|net|netinet|arpa|netdb|resolv)\b', re.M)  # which declare the same things
UNNAMED = re.compile(r'^namespace \{\n(.*?)^\}  // namespace$', re.M | re.S)
TYPE = re.compile(r'(?:struct|class|enum(?: class)?|union) (\w+)|using (\w+) =')
TEST = re.compile(r'(?:TEST|TEST_F|TEST_P)\((.*)')
DECLARED = re.compile(r'[^(={;]*?(\w+)(?:\[\w*\])?\s*(?=[(={;]|$)')  # what stands before its value, body or parameters
ENUMERATOR = re.compile(r'^  (k[A-Z]\w*)(?: = .*)?,?$', re.M)
ENTRY = re.compile(r'^(?:extern "C" )?int (main|LLVMFuzzerTestOneInput)\(', re.M)
MACRO = re.compile(r'^#define (\w+)', re.M)
USED = re.compile(r'(?<![\w:.>])[A-Za-z]\w+')  # not as a member or a name in full
LOCAL = re.compile(r'(?:[\w>&*\]] |using )(\w+)(?=[ ]?[={;(,):\[])')  # may hide a name that came to be in scope


@functools.cache
def read(path):
    """The text of a file."""
    with open(path, encoding='utf-8') as file:
        return file.read()


@functools.cache
def with_headers(source):
    """The source and those of our files that it includes, directly or not."""
    found, waiting = set(), [source]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        for name in INCLUDE.findall(read(path)):
            places = (os.path.join(ROOT, name), os.path.join(os.path.dirname(path), name))
            waiting += [place for place in places if os.path.exists(place)]
    return frozenset(found)


def names_in(block):
    """What is declared in these lines, not deeper."""
    for line in re.findall(r'^[A-Za-z].*', block, re.M):
        found = TYPE.match(line) or TEST.match(line) or DECLARED.match(line)
        if found and not re.match(r'template\b|namespace [\w:]+ \{|using [\w:]+;', line):
            yield found[found.lastindex]


def file_local_names(text):
    """What the unnamed namespaces of a source declare, as (namespace, name), and its macros and main()."""
    namespace = NAMESPACE.search(text)
    scope = namespace[1] if namespace else ''
    names = {('', name) for name in MACRO.findall(text) + ENTRY.findall(text)}
    for block in UNNAMED.findall(text):
        names.update((scope, name) for name in [*ENUMERATOR.findall(block), *names_in(block)])
    return names


@functools.cache
def shared_names(path):
    """What a file declares for others, as (namespace, name); namespaces too."""
    found, scope = set(), ''
    for part in re.split(r'^(?=namespace [\w:]+ \{)', UNNAMED.sub('', read(path)), flags=re.M):
        namespace = NAMESPACE.match(part)
        if namespace:
            scope = namespace[1]
            words = scope.split('::')
            found.update(('::'.join(words[:i]), words[i]) for i in range(len(words)))
        found.update((scope, name) for name in names_in(part))
        found.update((scope, name) for name in re.findall(r'^using (?:\w+::)+(\w+);', part, re.M))
    return found


class Source:
    """A source file and what decides with which others it may be compiled."""

    def __init__(self, path):
        text = read(path)
        self.path, self.names = path, file_local_names(text)
        self.hidden = set(LOCAL.findall(text)) - {name for _, name in self.names}
        headers = KERNEL_OR_LIBC.findall('\n'.join(map(read, with_headers(path))))
        self.socket_headers = {header in ('linux', 'netlink', 'libiptc') for header in headers}
        self.declared = set().union(*map(shared_names, with_headers(path)))
        namespace = NAMESPACE.search(text)
        words = namespace[1].split('::') if namespace else []
        used = set(USED.findall(text))
        self.looked_up = {('::'.join(words[:i + 1]), name) for i in range(len(words)) for name in used}

    def hides(self, other):
        """Whether one of its file-local names is declared in a function of the other."""
        return any(name in other.hidden for _, name in self.names)

    def gives(self, other):
        """Whether its headers declare, nearer, a name that the other uses for something else."""
        return not (other.looked_up & self.declared) <= other.declared

    def clashes(self, other):
        """Whether the two cannot be compiled together."""
        return bool(self.names & other.names) or self.hides(other) or other.hides(self)

    def is_foreign(self, other):
        """Whether the headers of the two do not go together, as those of one library mostly do."""
        headers = self.socket_headers | other.socket_headers
        return (len(headers) == 2 and self.socket_headers != other.socket_headers
                or self.gives(other) or other.gives(self))


def batches(paths, size, strangers=False):
    """The paths in lists of at most `size`, each in the first that has room and nothing to clash with.

    With `strangers` they are of several libraries, so what they include may clash too.
    """
    made = []
    for source in map(Source, paths):
        for batch in made:
            if len(batch) < size and not any(source.clashes(other) or strangers and source.is_foreign(other)
                                             for other in batch):
                batch.append(source)
                break
        else:
            made.append([source])
    return [[source.path for source in batch] for batch in made]


def main(size, *paths):
    """Prints CMake's list."""
    numbers = {path: number for number, batch in enumerate(batches(paths, int(size))) for path in batch}
    print(';'.join(str(numbers[path]) for path in paths))


if __name__ == '__main__':
    main(*sys.argv[1:])

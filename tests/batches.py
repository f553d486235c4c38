#!/usr/bin/python3
"""batches.py SIZE SOURCE...: prints a number for each SOURCE, in order: those of one number compile as one file.

Files that are compiled together share their headers, and most of a compiler's time here goes into headers. They also
share their unnamed namespaces, so two that declare the same file-local name may not meet: it is the text that is
searched for such names, a name too many costs a batch, one too few makes that batch fail to compile.
"""
import re
import sys

NAMESPACE = re.compile(r'namespace [\w:]+ \{', re.M)
UNNAMED = re.compile(r'^namespace \{\n(.*?)^\}  // namespace$', re.M | re.S)
TYPE = re.compile(r'(?:struct|class|enum(?: class)?|union) (\w+)|using (\w+) =')
TEST = re.compile(r'(?:TEST|TEST_F|TEST_P)\((.*)')
DECLARED = re.compile(r'[^(={;]*?(\w+)(?:\[\w*\])?\s*(?=[(={;]|$)')  # what stands before its value, body or parameters
ENUMERATOR = re.compile(r'^  (k[A-Z]\w*)(?: = .*)?,?$', re.M)
MACRO = re.compile(r'^#define (\w+)', re.M)
LOCAL = re.compile(r'(?:[\w>&*\]] |using )(\w+)(?=[ ]?[={;(,):\[])')  # may hide a name that came to be in scope


def file_local_names(text):
    """What the unnamed namespaces of a source declare, as (namespace, name), and its macros."""
    namespace = NAMESPACE.search(text)
    scope = namespace.group() if namespace else ''
    names = {('', name) for name in MACRO.findall(text)}
    for block in UNNAMED.findall(text):
        names.update((scope, name) for name in ENUMERATOR.findall(block))
        for line in re.findall(r'^[A-Za-z].*', block, re.M):
            found = TYPE.match(line) or TEST.match(line) or DECLARED.match(line)
            if found and not re.match(r'template\b|using [\w:]+;', line):
                names.add((scope, found[found.lastindex]))
    return names


class Source:
    """A source file and what decides with which others it may be compiled."""

    def __init__(self, path):
        with open(path, encoding='utf-8') as file:
            text = file.read()
        self.path, self.names = path, file_local_names(text)
        self.hidden = set(LOCAL.findall(text)) - {name for _, name in self.names}

    def clashes(self, other):
        """Whether one declares what the other declares, or declares in a function."""
        return (self.names & other.names or any(name in self.hidden for _, name in other.names)
                or any(name in other.hidden for _, name in self.names))


def batches(paths, size):
    """The paths in lists of at most `size`, each in the first that has room and nothing to clash with."""
    made = []
    for source in map(Source, paths):
        for batch in made:
            if len(batch) < size and not any(map(source.clashes, batch)):
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

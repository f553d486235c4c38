#!/usr/bin/env python3
# Drives network lists the way libcni does, including CNI 1.1's GC and STATUS, which no packaged client has.
"""Library and command: `cni_runner.py add|check|del|gc|status CONFLIST --container C --netns PATH`.

What is kept of libcni: the per-plugin configuration (list's name and cniVersion, prevResult,
runtimeConfig by capability), the order of the plugins per verb, the result cache in
/var/lib/cni/results in the cniCacheV1 form, GC as DEL of every cached attachment that is not valid
followed by GC of every plugin with `cni.dev/valid-attachments` (and the older, misnamed
`cni.dev/attachments`), STATUS until the first error.
"""

import argparse
import base64
import dataclasses
import json
import os
import pathlib
import sys

from cni_call import Plugins

CACHE = "/var/lib/cni/results"
VALID_KEYS = ("cni.dev/valid-attachments", "cni.dev/attachments")
KNOWN = ("0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0")


class RuntimeFailure(Exception):
    """A plugin failed: the text names it, `.error` is its error document."""

    def __init__(self, text, error):
        super().__init__(text)
        self.error = error


@dataclasses.dataclass(frozen=True)
class Attachment:
    """One container's interface, with what the runtime passes for it."""

    container: str
    netns: str = ""
    ifname: str = "eth0"
    args: tuple = ()
    capabilities: str = "{}"

    def variables(self):
        """The variables of a plugin call."""
        return {"container": self.container, "netns": self.netns, "ifname": self.ifname,
                "CNI_ARGS": ";".join(f"{key}={value}" for key, value in self.args)}


def at_least(version, wanted):
    """True if the CNI version is `wanted` or newer."""
    return [int(part) for part in version.split(".")] >= [int(part) for part in wanted.split(".")]


class Runtime:
    """A runtime with its plugin directory (a `Plugins` or a path) and its cache directory."""

    def __init__(self, plugins, cache=CACHE):
        self.plugins = plugins if isinstance(plugins, Plugins) else Plugins(plugins)
        self.cache = pathlib.Path(cache)

    # The verbs.

    def add(self, network, attachment):
        """ADD of every plugin in order; caches and returns the last result."""
        result = None
        for plugin in network["plugins"]:
            body = self._body(network, plugin, attachment, result)
            result = self._run("add", plugin, "ADD", body, attachment.variables()).json
        self._save(network, attachment, result)
        return result

    def check(self, network, attachment):
        """CHECK of every plugin with the cached result."""
        version = network_version(network)
        if not at_least(version, "0.4.0"):
            raise RuntimeFailure(f'configuration version "{version}" does not support the CHECK command', {})
        if network.get("disableCheck") in (True, "true"):
            return
        result = self.cached(network, attachment).get("result")
        for plugin in network["plugins"]:
            body = self._body(network, plugin, attachment, result)
            self._run("check", plugin, "CHECK", body, attachment.variables())

    def delete(self, network, attachment):
        """DEL of every plugin in reverse order; drops the cache when all succeeded."""
        result = None
        if at_least(network_version(network), "0.4.0"):
            result = self.cached(network, attachment).get("result")
        for plugin in reversed(network["plugins"]):
            body = self._body(network, plugin, attachment, result)
            self._run("delete", plugin, "DEL", body, attachment.variables())
        self._path(network, attachment).unlink(missing_ok=True)

    def collect(self, network, valid):
        """GC with `valid`, a list of (container id, ifname); None sends no list at all."""
        if network.get("disableGC") in (True, "true"):
            return
        problems = []
        for stale in self._stale(network, valid or ()):
            try:
                self.delete(network, stale)
            except RuntimeFailure as failure:
                problems.append(str(failure))
        if at_least(network_version(network), "1.1.0"):
            problems += self._collect_each(network, valid)
        if problems:
            raise RuntimeFailure("; ".join(problems), {})

    def status(self, network):
        """STATUS of every plugin up to the first error; nothing below 1.1.0."""
        if not at_least(network_version(network), "1.1.0"):
            return
        for plugin in network["plugins"]:
            self._run("status", plugin, "STATUS", self._body(network, plugin, None, None), EMPTY)

    # What libcni does around them.

    def cached(self, network, attachment):
        """The cache document of an attachment; {} if there is none."""
        path = self._path(network, attachment)
        return json.loads(path.read_text()) if path.exists() else {}

    def _collect_each(self, network, valid):
        problems = []
        for plugin in network["plugins"]:
            body = self._body(network, plugin, None, None)
            if valid is not None:
                for key in VALID_KEYS:
                    body[key] = [{"containerID": cid, "ifname": name} for cid, name in valid]
            try:
                self._run("gc", plugin, "GC", body, EMPTY)
            except RuntimeFailure as failure:
                problems.append(str(failure))
        return problems

    def _stale(self, network, valid):
        for path in sorted(self.cache.glob(f"{network['name']}-*")):
            document = json.loads(path.read_text())
            if document.get("networkName") != network["name"]:
                continue
            found = Attachment(document["containerId"], document.get("netns", ""), document["ifName"],
                               tuple(map(tuple, document.get("cniArgs", []))),
                               json.dumps(document.get("capabilityArgs", {})))
            if (found.container, found.ifname) not in set(map(tuple, valid)):
                yield found

    def _body(self, network, plugin, attachment, previous):
        body = {**plugin, "name": network["name"], "cniVersion": network_version(network)}
        if previous is not None:
            body["prevResult"] = previous
        wanted = json.loads(attachment.capabilities) if attachment else {}
        runtime = {key: wanted[key] for key, on in plugin.get("capabilities", {}).items()
                   if on and key in wanted}
        if runtime:
            body["runtimeConfig"] = runtime
        return dict(sorted(body.items()))

    def _run(self, doing, plugin, verb, body, variables):
        outcome = self.plugins.call(plugin["type"], verb, body, **variables)
        if outcome.code:
            said = outcome.json["msg"]
            if outcome.json.get("details"):
                said += "; " + outcome.json["details"]
            raise RuntimeFailure(f'plugin type="{plugin["type"]}" name="{body["name"]}" failed ({doing}): {said}',
                                 outcome.json)
        return outcome

    def _path(self, network, attachment):
        return self.cache / f"{network['name']}-{attachment.container}-{attachment.ifname}"

    def _save(self, network, attachment, result):
        self.cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        document = {"kind": "cniCacheV1", "containerId": attachment.container,
                    "config": base64.b64encode(json.dumps(network).encode()).decode(),
                    "ifName": attachment.ifname, "networkName": network["name"], "netns": attachment.netns,
                    "cniArgs": [list(pair) for pair in attachment.args],
                    "capabilityArgs": json.loads(attachment.capabilities), "result": result}
        path = self._path(network, attachment)
        path.touch(mode=0o600)
        path.write_text(json.dumps(document))


EMPTY = {"container": "", "netns": "", "ifname": ""}


def network_version(network):
    """The newest known version that the list names."""
    named = [network.get("cniVersion") or "0.1.0", *network.get("cniVersions", [])]
    return max((version for version in named if version in KNOWN), key=KNOWN.index, default=named[0])


def load(path):
    """A conflist; a single plugin's configuration becomes a list of one."""
    document = json.loads(pathlib.Path(path).read_text())
    if "plugins" in document:
        return document
    return {"name": document["name"], "cniVersion": document.get("cniVersion", ""), "plugins": [document]}


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description="Runs a network list as libcni does.")
    parser.add_argument("verb", choices=("add", "check", "del", "gc", "status"))
    parser.add_argument("conflist")
    parser.add_argument("--plugins", default=os.environ.get("CNI_PATH", "/opt/cni/bin"),
                        help="directory of the plugins (default: $CNI_PATH or /opt/cni/bin)")
    parser.add_argument("--cache", default=CACHE)
    parser.add_argument("--container", default="")
    parser.add_argument("--netns", default="")
    parser.add_argument("--ifname", default="eth0")
    parser.add_argument("--args", default="", help="K=V;K=V for CNI_ARGS")
    parser.add_argument("--capabilities", default="{}", help="capability arguments as JSON")
    parser.add_argument("--valid", nargs="*", default=None, metavar="CONTAINER:IFNAME",
                        help="gc: what is in use; without the option no list is sent")
    options = parser.parse_args()
    runtime, network = Runtime(options.plugins, options.cache), load(options.conflist)
    pairs = tuple(tuple(pair.split("=", 1)) for pair in options.args.split(";") if pair)
    attachment = Attachment(options.container, options.netns, options.ifname, pairs, options.capabilities)
    try:
        run_verb(runtime, network, attachment, options)
    except RuntimeFailure as failure:
        sys.exit(str(failure))


def run_verb(runtime, network, attachment, options):
    """Dispatches the command line's verb."""
    if options.verb == "add":
        print(json.dumps(runtime.add(network, attachment), indent=4))
    elif options.verb == "check":
        runtime.check(network, attachment)
    elif options.verb == "del":
        runtime.delete(network, attachment)
    elif options.verb == "gc":
        valid = options.valid
        runtime.collect(network, None if valid is None else [tuple(word.rsplit(":", 1)) for word in valid])
    else:
        runtime.status(network)


if __name__ == "__main__":
    main()

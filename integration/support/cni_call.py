# Runs one CNI plugin call as a runtime does and holds it to the protocol: exit code, one JSON document.
"""`Plugins(directory).call("bridge", "ADD", config, ...)` returns an `Outcome`.

Every outcome is checked against the rules that hold for all verbs: success is exit 0 with one JSON
document (ADD, VERSION) or nothing at all (DEL, CHECK, GC, STATUS) on stdout; failure is exit 1 with
one JSON document holding a positive `code`, a `msg` and the `cniVersion`.
"""

import dataclasses
import json
import os
import subprocess

ALL_VERSIONS = ("0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0")
SPEAKING_VERBS = ("ADD", "VERSION")
VALID_ATTACHMENTS = "cni.dev/valid-attachments"


@dataclasses.dataclass
class Outcome:
    """What a call gave: `code` is the exit code; `json` the document on stdout, None if there was none."""

    what: str
    code: int
    stdout: str
    stderr: str
    json: object

    def ok(self):
        """Returns self; AssertionError if the call failed."""
        assert self.code == 0, f"{self.what} failed: {self.stdout or self.stderr}"
        return self

    def error(self, code=None, text=None):
        """Returns the error document; checks its code (one or several) and that msg+details hold `text`."""
        assert self.code != 0, f"{self.what} succeeded, an error was due: {self.stdout}"
        wanted = (code,) if isinstance(code, int) else code
        said = f"{self.json['msg']}; {self.json.get('details', '')}"
        assert wanted is None or self.json["code"] in wanted, (
            f"{self.what}: code {self.json['code']}, want {code}: {said}")
        assert text is None or text in said, f"{self.what}: want {text!r} in: {said}"
        return self.json


class Plugins:
    """The plugins of one directory. `strict` adds what the reference plugins do not keep."""

    def __init__(self, directory, strict=True):
        self.directory = str(directory)
        self.strict = strict
        self.launcher = []
        self.search_path = self.directory

    def through(self, launcher):
        """The same plugins, started as children of another executable (another runtime)."""
        other = Plugins(self.directory, self.strict)
        other.launcher = list(launcher)
        other.search_path = self.search_path
        return other

    def environment(self, verb, container="c1", netns=None, ifname="eth0", **extra):
        """The CNI_* table of a call; `netns` is a Netns, a path or None; None values are left out."""
        path = getattr(netns, "path", netns)
        table = {"CNI_COMMAND": verb, "CNI_CONTAINERID": container, "CNI_NETNS": path or "",
                 "CNI_IFNAME": ifname, "CNI_PATH": self.search_path,
                 "PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")}
        table.update(extra)
        return {key: value for key, value in table.items() if value is not None}

    def call(self, plugin, verb, config, timeout=60, **variables):
        """Runs `plugin` with `config` (dict, text or bytes) on stdin and the environment `variables`."""
        body = self.body(config)
        command = [*self.launcher, f"{self.directory}/{plugin}"]
        done = subprocess.run(command, input=body, capture_output=True, timeout=timeout,
                              env=self.environment(verb, **variables))
        return self.judge(plugin, verb, done)

    def body(self, config):
        """The bytes for stdin. The reference plugins installed here stop at CNI 1.0.0."""
        if isinstance(config, dict) and not self.strict and config.get("cniVersion") == "1.1.0":
            config = {**config, "cniVersion": "1.0.0"}
        body = config if isinstance(config, (bytes, str)) else json.dumps(config)
        return body.encode() if isinstance(body, str) else body

    def start(self, plugin, verb, config, **variables):
        """Starts a call without waiting; give the process to `finish`."""
        process = subprocess.Popen([*self.launcher, f"{self.directory}/{plugin}"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=self.environment(verb, **variables))
        try:
            process.stdin.write(self.body(config))
            process.stdin.close()
        except BrokenPipeError:
            pass
        process.stdin = None
        process.call = (plugin, verb)
        return process

    def finish(self, process, timeout=60):
        """Waits for a started call."""
        out, err = process.communicate(timeout=timeout)
        done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
        return self.judge(*process.call, done)

    def judge(self, plugin, verb, done):
        """Turns a finished process into an Outcome and holds it to the protocol."""
        stdout, stderr = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        what = f"{plugin} {verb}"
        document = one_document(what, stdout) if stdout else None
        outcome = Outcome(what, done.returncode, stdout, stderr, document)
        if outcome.code == 0:
            speaks = verb in SPEAKING_VERBS
            assert speaks == (document is not None), f"{what}: exit 0 and stdout {stdout!r}"
        else:
            self._judge_failure(outcome)
        return outcome

    def _judge_failure(self, outcome):
        shown = f"{outcome.what}: exit {outcome.code}, stdout {outcome.stdout!r}, " \
                f"stderr {outcome.stderr[-2000:]!r}"
        assert outcome.code == 1, shown
        assert isinstance(outcome.json, dict), shown
        assert isinstance(outcome.json.get("code"), int) and outcome.json["code"] > 0, shown
        assert outcome.json.get("msg"), shown
        if self.strict:
            assert isinstance(outcome.json.get("cniVersion"), str), f"no cniVersion; {shown}"
            assert outcome.json["code"] != 999, f"catch-all code; {shown}"

    # The calls of one attachment, shortened.

    def add(self, config, netns, **variables):
        """ADD by the configuration's `type`."""
        return self.call(config["type"], "ADD", config, netns=netns, **variables)

    def delete(self, config, netns="", **variables):
        """DEL by the configuration's `type`."""
        return self.call(config["type"], "DEL", config, netns=netns, **variables)

    def check(self, config, netns, result, **variables):
        """CHECK with `result` as prevResult."""
        return self.call(config["type"], "CHECK", {**config, "prevResult": result}, netns=netns,
                         **variables)

    def collect(self, config, valid, **variables):
        """GC; `valid` is a list of (container id, ifname), None leaves the key out."""
        body = dict(config)
        if valid is not None:
            body[VALID_ATTACHMENTS] = [{"containerID": cid, "ifname": name} for cid, name in valid]
        return self.call(config["type"], "GC", body, container=None, netns=None, ifname=None,
                         **{"CNI_NETNS": None, **variables})

    def status(self, config, **variables):
        """STATUS by the configuration's `type`."""
        return self.call(config["type"], "STATUS", config, container=None, ifname=None,
                         **{"CNI_NETNS": None, **variables})


def one_document(what, text):
    """Parses exactly one JSON document; AssertionError if there is less or more."""
    try:
        value, end = json.JSONDecoder().raw_decode(text.lstrip())
    except ValueError as error:
        raise AssertionError(f"{what}: stdout is no JSON ({error}): {text!r}") from None
    rest = text.lstrip()[end:].strip()
    assert not rest, f"{what}: more than one document on stdout: {text!r}"
    return value

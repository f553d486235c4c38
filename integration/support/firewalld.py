# The real firewalld on a system bus of its own, inside a private host.

import os
import pathlib
import re
import shutil
import subprocess

from private_host import mount_small, wait_until

BUS = "/run/dbus/system_bus_socket"
SERVICE = "org.fedoraproject.FirewallD1"
OBJECT = "/org/fedoraproject/FirewallD1"
BUS_CONFIG = f"""<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={BUS}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><allow own="*"/><allow send_destination="*"/><allow eavesdrop="true"/>
    <allow send_type="method_call"/><allow send_type="signal"/>
  </policy>
</busconfig>
"""


def installed():
    """Whether the daemon and a bus to run it on are there."""
    return bool(shutil.which("firewalld") and shutil.which("dbus-daemon"))


def call(service, path, method, *arguments):
    """One call on the system bus; strings as arguments; AssertionError if it is refused."""
    done = subprocess.run(["dbus-send", "--system", "--print-reply", f"--dest={service}", path, method,
                           *(f"string:{argument}" for argument in arguments)],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, f"{method} {arguments}: {done.stderr}"
    return done.stdout


class Firewalld:
    """A running daemon; everything it and the bus write is in the private host."""

    def __init__(self):
        os.makedirs(os.path.dirname(BUS), exist_ok=True)
        mount_small("/var/log", "8m")
        config = pathlib.Path("/run/test/bus.conf")
        config.write_text(BUS_CONFIG)
        self.bus = subprocess.Popen(["dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile"],
                                    stderr=subprocess.DEVNULL)
        wait_until(lambda: os.path.exists(BUS), what="a system bus")
        self.start()

    def start(self):
        """Starts the daemon and waits until it answers."""
        with open("/run/test/firewalld.log", "w") as log:
            self.daemon = subprocess.Popen(["firewalld", "--nofork", "--nopid"], stdout=log,
                                           stderr=subprocess.STDOUT)
        wait_until(self.is_on_bus, what="firewalld on the bus")
        self.call("getDefaultZone")

    def is_on_bus(self):
        """Whether somebody owns firewalld's name."""
        return "true" in call("org.freedesktop.DBus", "/", "org.freedesktop.DBus.NameHasOwner", SERVICE)

    def stop(self):
        """Stops the daemon; the bus stays."""
        self.daemon.terminate()
        self.daemon.wait(10)

    def reload(self):
        """As `firewall-cmd --reload`."""
        return self.call("reload")

    def call(self, method, *arguments):
        """A method of firewalld; what it answers, as dbus-send prints it. (firewall-cmd takes 0.3 s to start.)"""
        return call(SERVICE, OBJECT, f"{SERVICE}.{method}", *arguments)

    def sources(self, zone="trusted"):
        """The sources of a zone, sorted."""
        return sorted(re.findall(r'string "(.*)"', self.call("zone.getSources", zone)))

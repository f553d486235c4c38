# host-local called directly, as an IPAM plugin: shortened calls for the suites.

from test_host import LEASES, result_addresses

DIRECTORY = LEASES / "net1"


def add(host, config, container="c1", **variables):
    """host-local ADD."""
    return host.ours.call("host-local", "ADD", config, netns="/run/netns/x", container=container, **variables)


def delete(host, config, container="c1", **variables):
    """host-local DEL."""
    return host.ours.call("host-local", "DEL", config, netns="/run/netns/x", container=container, **variables)


def first(host, config, container="c1", **variables):
    """The first address of a successful ADD."""
    return result_addresses(add(host, config, container, **variables).ok())[0]


def refused(host, config, text=None, code=None):
    """An ADD that must fail and change nothing; returns the error."""
    before = host.snapshot()
    error = add(host, config).error(code, text)
    before.must_equal(host.snapshot(), "refused ADD")
    return error

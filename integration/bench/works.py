# The works that are measured: each gives samples by label, and the comparisons that a target is set
# on.

import pathlib

from contenders import BridgeNetwork, FloorNetwork, LeaseNetwork, Plugins
from contest import Call, crowd, make_netns

MANY_LEASES, FEW_LEASES, MANY_LINKS = 20000, 10, 5000
NETNS = "/run/netns/"


class Setting:
    """What every work gets: the arena, both sets of plugins, how often to repeat; and where it puts
    what it measured."""

    def __init__(self, arena, options):
        self.arena, self.quick, self.libcni = arena, options.quick, options.libcni
        self.ours = Plugins(arena, "ours", options.plugins)
        self.reference = Plugins(arena, "reference", options.reference)
        self.numbers = iter(range(1, 250))
        self.samples, self.parallel, self.facts = {}, {}, []

    def rounds(self, full, quick):
        """How many rounds to run."""
        return range(quick if self.quick else full)

    def containers(self, word, count):
        """Paths of `count` new network namespaces."""
        names = [f"{word}{number}" for number in range(count)]
        make_netns(names)
        return [NETNS + name for name in names]

    def race(self, networks, rounds):
        """Rounds of ADD by every network, then DEL by every network, each in a container netns of
        its own; a first round warms up and does not count. A network that is `rare` joins one round
        in so many."""
        spots = self.containers(f"{networks[0].kind}-", len(networks))
        legs = []
        for number in range(len(rounds) + 1):
            pairs = [network.pair(spot) for network, spot in zip(networks, spots)
                     if number <= 1 or number % network.rare == 0]
            legs.append([[add for add, _ in pairs], [delete for _, delete in pairs]])
        self.arena.race(legs[:1])
        self.samples.update(self.arena.race(legs[1:]))

    def race_at_once(self, kind, networks, count, rounds):
        """Rounds of `count` ADDs at once by each network (a dict by contender), then of their DELs:
        the wall time of all, and how many failed."""
        spots = {name: self.containers(f"{kind}-{name}-", count) for name in networks}
        for name, network in networks.items():  # the network is running before they come at once
            self.arena.run(list(network.pair(spots[name][0])))
        for number in rounds:
            turn = number % len(networks)
            for name in list(networks)[turn:] + list(networks)[:turn]:
                pairs = [networks[name].pair(spot) for spot in spots[name]]
                for verb, calls in zip(("add", "del"), zip(*pairs)):
                    results, wall = self.arena.launch(calls, parallel=True)
                    entry = self.parallel.setdefault(f"{verb}-{kind}/{name}",
                                                     {"walls": [], "failures": 0})
                    entry["walls"].append(wall)
                    entry["failures"] += sum(status != 0 for _, status, _ in results)


def version(setting):
    """VERSION: what a start costs."""
    calls = [setting.ours.version(), setting.reference.version(),
             Call("version/floor", (setting.arena.floor, "nothing"))]
    setting.arena.race([[calls]])
    setting.samples.update(setting.arena.race([[calls]] * len(setting.rounds(200, 5))))


def bridge(setting):
    """Bridge and host-local, without and with ipMasq."""
    networks = [FloorNetwork(setting.arena, "bridge", next(setting.numbers))]
    for plugins in (setting.ours, setting.reference):
        networks.append(BridgeNetwork(plugins, "bridge", next(setting.numbers)))
        networks.append(BridgeNetwork(plugins, "masq", next(setting.numbers), ipMasq=True))
    setting.race(networks, setting.rounds(80, 3))


def leases(setting):
    """host-local by itself, where few and where many addresses are held."""
    networks = [LeaseNetwork(plugins, count, next(setting.numbers), write_leases)
                for plugins in (setting.ours, setting.reference)
                for count in (FEW_LEASES, MANY_LEASES)]
    networks[-1].rare = 10  # the reference reads every file at each call
    setting.race(networks, setting.rounds(100, 3))


def write_leases(directory, number, count):
    """`count` leases in the reference's format."""
    folder = pathlib.Path(directory)
    folder.mkdir(parents=True)
    address = "10.0.0.0"
    for index in range(2, count + 2):
        address = f"10.{number}.{index >> 8}.{index & 255}"
        (folder / address).write_bytes(f"held{index:06}{'0' * 54}\r\neth0".encode())
    (folder / "last_reserved_ip.0").write_text(address)
    (folder / "lock").touch()


def links(setting):
    """A bridge ADD on a host with no other links and on one with thousands."""
    make_netns(["empty", "crowded"])
    crowd(MANY_LINKS, "crowded")
    networks = []
    for host in ("empty", "crowded"):
        path = NETNS + host
        networks.append(FloorNetwork(setting.arena, host, next(setting.numbers), path))
        for plugins in (setting.ours, setting.reference):
            networks.append(BridgeNetwork(plugins, host, next(setting.numbers), path))
    setting.race(networks, setting.rounds(40, 1))


def parallel(setting, count=100):
    """Many ADDs at once, then their DELs at once: the wall time of all, and the failures."""
    networks = {"floor": FloorNetwork(setting.arena, "parallel", next(setting.numbers))}
    for plugins in (setting.ours, setting.reference):
        networks[plugins.name] = BridgeNetwork(plugins, "parallel", next(setting.numbers))
    setting.race_at_once("parallel", networks, count, setting.rounds(7, 1))


def memory(setting):
    """A configuration of 64 KiB."""
    network = BridgeNetwork(setting.ours, "large", next(setting.numbers))
    labels = [{"key": f"k{number:04}", "value": "x" * 100} for number in range(480)]
    network.config["args"] = {"cni": {"labels": labels}}
    setting.race([network], setting.rounds(5, 1))


ALL = (version, bridge, leases, links, parallel, memory)

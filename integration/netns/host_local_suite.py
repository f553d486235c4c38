# host-local: keys and range options, requests, exclusions, exhaustion, DEL, parallel calls.

import concurrent.futures
import pathlib
import threading

from host_local_calls import DIRECTORY, add, delete, first, refused
from test_host import bridge_config, host_local_config, leases, result_addresses, with_runtime


def test_addresses_are_handed_out_in_order_and_go_round(host):
    config = host_local_config(subnet="10.1.0.0/29")
    given = [first(host, config, f"c{number}") for number in range(5)]
    assert given == [f"10.1.0.{number}/29" for number in (2, 3, 4, 5, 6)], given
    delete(host, config, "c1").ok()
    assert first(host, config, "c9") == "10.1.0.3/29"


def test_a_freed_address_is_not_given_again_at_once(host):
    config = host_local_config()
    assert first(host, config) == "10.1.0.2/24"
    delete(host, config).ok()
    assert first(host, config) == "10.1.0.3/24"


def test_range_start_end_and_gateway(host):
    config = host_local_config(subnet="10.1.0.0/24", rangeStart="10.1.0.10", rangeEnd="10.1.0.12",
                               gateway="10.1.0.11")
    reply = add(host, config).ok()
    assert reply.json["ips"] == [{"address": "10.1.0.10/24", "gateway": "10.1.0.11"}]
    assert first(host, config, "c2") == "10.1.0.12/24"
    add(host, config, "c3").error(text="no IP addresses available in range set: 10.1.0.10-10.1.0.12")


def test_a_range_set_continues_in_its_next_range(host):
    ranges = [[{"subnet": "10.1.0.0/24", "rangeStart": "10.1.0.5", "rangeEnd": "10.1.0.6"},
               {"subnet": "10.2.0.0/24", "rangeStart": "10.2.0.7", "rangeEnd": "10.2.0.7"}]]
    config = host_local_config(ranges=ranges)
    given = [add(host, config, f"c{number}").ok().json["ips"][0] for number in range(3)]
    assert [entry["address"] for entry in given] == ["10.1.0.5/24", "10.1.0.6/24", "10.2.0.7/24"]
    assert given[2]["gateway"] == "10.2.0.1"
    add(host, config, "c9").error(text="10.1.0.5-10.1.0.6,10.2.0.7-10.2.0.7")


def test_each_range_set_gives_one_address(host):
    config = host_local_config(ranges=[[{"subnet": "10.1.0.0/24"}], [{"subnet": "2001:db8::/64"}],
                                       [{"subnet": "10.3.0.0/24"}]])
    assert result_addresses(add(host, config).ok()) == ["10.1.0.2/24", "2001:db8::2/64", "10.3.0.2/24"]
    assert sorted(path.name for path in DIRECTORY.glob("last_*")) == [
        f"last_reserved_ip.{number}" for number in range(3)]


def test_a_full_second_set_releases_the_first(host):
    config = host_local_config(ranges=[[{"subnet": "10.1.0.0/24"}], [
        {"subnet": "10.3.0.0/24", "rangeStart": "10.3.0.9", "rangeEnd": "10.3.0.9"}]])
    add(host, config).ok()
    before = leases()
    add(host, config, "c2").error(text="failed to allocate for range 1")
    assert leases() == before


def test_runtime_ip_ranges_come_before_the_single_range_and_ranges(host):
    config = host_local_config(subnet="10.1.0.0/24", ranges=[[{"subnet": "10.2.0.0/24"}]])
    config = with_runtime(config, ipRanges=[[{"subnet": "10.4.0.0/24"}]])
    assert result_addresses(add(host, config).ok()) == ["10.4.0.2/24", "10.1.0.2/24", "10.2.0.2/24"]


def test_an_address_can_be_asked_for_in_four_ways(host):
    plain = host_local_config()
    assert first(host, plain, "a", CNI_ARGS="IP=10.1.0.40") == "10.1.0.40/24"
    assert first(host, {**plain, "args": {"cni": {"ips": ["10.1.0.41"]}}}, "b") == "10.1.0.41/24"
    assert first(host, with_runtime(plain, ips=["10.1.0.42/16"]), "c") == "10.1.0.42/24"
    assert first(host, with_runtime(plain, ipRanges=[[{"subnet": "10.7.0.0/24"}]]), "d") == "10.7.0.2/24"


def test_requests_of_all_sources_add_up(host):
    config = host_local_config(ranges=[[{"subnet": "10.1.0.0/24"}], [{"subnet": "10.2.0.0/24"}],
                                       [{"subnet": "2001:db8::/64"}]])
    config = with_runtime({**config, "args": {"cni": {"ips": ["10.2.0.50"]}}}, ips=["2001:db8::99"])
    reply = add(host, config, CNI_ARGS="IgnoreUnknown=1;IP=10.1.0.50").ok()
    assert result_addresses(reply) == ["10.1.0.50/24", "10.2.0.50/24", "2001:db8::99/64"]


def test_a_request_that_cannot_be_met_is_an_error(host):
    config = host_local_config(rangeEnd="10.1.0.100")
    add(host, config, "first", CNI_ARGS="IP=10.1.0.40").ok()
    for address, text in (("10.1.0.40", "requested IP address 10.1.0.40 is not available"),
                          ("10.1.0.1", "requested ip 10.1.0.1 is subnet's gateway"),
                          ("10.1.0.101", "10.1.0.101"), ("10.1.0.0", "10.1.0.0"), ("10.9.0.1", "10.9.0.1")):
        refused(host, with_runtime(config, ips=[address]), text)
    error = refused(host, with_runtime(config, ips=["10.1.0.40"]))
    assert "first" in error["msg"] + error.get("details", ""), f"the holder is not named: {error}"
    refused(host, with_runtime(config, ips=["nonsense"]), "nonsense")


def test_routes_are_passed_through(host):
    routes = [{"dst": "0.0.0.0/0"}, {"dst": "198.51.100.0/24", "gw": "10.1.0.5"}]
    assert add(host, host_local_config(routes=routes)).ok().json["routes"] == routes


def test_resolv_conf_becomes_dns(host):
    path = pathlib.Path("/run/test/resolv.conf")
    path.write_text("# comment\n; another\nnameserver 192.0.2.1\nnameserver\t2001:db8::53\n"
                    "domain one.example\ndomain two.example\nsearch a b\noptions ndots:5 edns0\n")
    dns = add(host, host_local_config(resolvConf=str(path))).ok().json["dns"]
    assert dns == {"nameservers": ["192.0.2.1", "2001:db8::53"], "domain": "two.example",
                   "search": ["a", "b"], "options": ["ndots:5", "edns0"]}
    refused(host, {**host_local_config(resolvConf="/run/test/none")}, "/run/test/none")


def test_exclude_leaves_addresses_out(host):
    config = host_local_config(subnet="10.1.0.0/29", exclude=["10.1.0.2", "10.1.0.4/31"])
    assert [first(host, config, f"c{number}") for number in range(2)] == ["10.1.0.3/29", "10.1.0.6/29"]
    add(host, config, "c9").error(text="no IP addresses available")


def test_exclude_of_a_range_counts_for_that_range(host):
    ranges = [[{"subnet": "10.1.0.0/29", "exclude": ["10.1.0.0/30"]}], [{"subnet": "10.1.1.0/29"}]]
    assert result_addresses(add(host, host_local_config(ranges=ranges)).ok()) == ["10.1.0.4/29", "10.1.1.2/29"]


def test_an_excluded_address_cannot_be_asked_for(host):
    config = host_local_config(exclude=["10.1.0.40"])
    refused(host, with_runtime(config, ips=["10.1.0.40"]), "10.1.0.40")
    refused(host, host_local_config(exclude=["nonsense"]), "exclude")


def test_a_second_add_of_the_same_interface_is_refused(host):
    config = host_local_config()
    add(host, config).ok()
    refused(host, config, "10.1.0.2 has been allocated to c1, duplicate allocation is not allowed")
    add(host, config, ifname="eth1").ok()


def test_exhaustion_says_how_many_are_held_and_by_whom(host):
    config = host_local_config(subnet="10.1.0.0/29")
    for number in range(5):
        add(host, config, f"holder{number}").ok()
    error = add(host, config, "late").error(
        text="no IP addresses available in range set: 10.1.0.1-10.1.0.6")
    said = error["msg"] + error.get("details", "")
    assert error["code"] >= 100 and "5" in said and "holder" in said, error


def test_exhaustion_counts_the_provably_dead_and_names_the_command(host):
    config = bridge_config(ipam={"type": "host-local", "subnet": "10.1.0.0/29"})
    made = [host.container(f"c{number}") for number in range(5)]
    for number, one in enumerate(made):
        host.ours.add(config, one, container=f"c{number}").ok()
    made[0].delete()
    made[1].delete()
    error = host.ours.add(config, host.container("late"), container="late").error()
    said = error["msg"] + error.get("details", "")
    assert "2" in said and "cnmctl gc" in said, error


def test_del_with_an_empty_or_invalid_body_releases_by_owner(host):
    config = host_local_config()
    for body in ({**config, "ipam": None}, {**config, "ipam": {}}, {**config, "ipam": {"type": "host-local"}},
                 {**config, "ipam": {"type": "host-local", "subnet": "zz"}},
                 {**config, "ipam": {"type": "host-local", "subnet": "10.9.0.0/24"}},
                 {"cniVersion": "1.1.0", "name": "net1", "type": "host-local"},
                 {**config, "ipam": {"type": "host-local", "ranges": "x"}}):
        add(host, config).ok()
        delete(host, body).ok()
        assert leases() == {}, body


def test_del_is_idempotent_and_takes_only_its_own(host):
    config = host_local_config()
    add(host, config, "c1").ok()
    add(host, config, "c2").ok()
    add(host, config, "c1", ifname="eth1").ok()
    for _ in range(3):
        delete(host, config, "c1").ok()
        assert sorted(leases().values()) == [("c1", "eth1"), ("c2", "eth0")]


def test_path_tricks_in_names_are_refused(host):
    before = host.snapshot()
    for name in ("..", "../x", "a/../b", "/etc", "", ".x"):
        add(host, {**host_local_config(), "name": name}).error(7)
    before.must_equal(host.snapshot())


def test_bad_ranges_are_refused_with_the_words_of_the_reference(host):
    cases = [({"subnet": "10.1.0.0/31"}, "Network 10.1.0.0/31 too small to allocate from"),
             ({"subnet": "10.1.0.0/32"}, "too small to allocate from"),
             ({"subnet": "2001:db8::/127"}, "too small to allocate from"),
             ({"subnet": "10.1.0.7/24"}, "Network has host bits set. For a subnet mask of length 24 "
              "the network address is 10.1.0.0"),
             ({"subnet": "10.1.0.0/24", "rangeStart": "10.2.0.1"}, "RangeStart 10.2.0.1 not in network 10.1.0.0/24"),
             ({"subnet": "10.1.0.0/24", "rangeEnd": "10.2.0.1"}, "RangeEnd 10.2.0.1 not in network 10.1.0.0/24"),
             ({"subnet": "10.1.0.0/24", "rangeStart": "10.1.0.9", "rangeEnd": "10.1.0.5"},
              "RangeStart 10.1.0.9 not in network 10.1.0.0/24"),
             ({"subnet": "nonsense"}, "nonsense"), ({"subnet": "10.1.0.0"}, "10.1.0.0"),
             ({"subnet": "10.01.0.0/24"}, "10.01.0.0/24"),
             ({"ranges": [[{"subnet": "10.1.0.0/24"}, {"subnet": "10.1.0.128/25"}]]}, "overlap"),
             ({"ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "10.1.0.0/16"}]]}, "overlap"),
             ({"ranges": [[{"subnet": "10.1.0.0/24"}, {"subnet": "2001:db8::/64"}]]}, "famil"),
             ({"ranges": [[]]}, "empty"),
             ({"ranges": [[{"rangeStart": "10.1.0.5"}]]}, "subnet")]
    for ipam, text in cases:
        body = {**host_local_config(), "ipam": {"type": "host-local", **ipam}}
        error = add(host, body).error(102 if text == "overlap" else 7)  # 102: ranges overlap
        assert text in error["msg"] + error.get("details", ""), (ipam, error)
    assert not leases()


def test_missing_ipam_and_missing_ranges_are_told_apart(host):
    refused(host, {"cniVersion": "1.0.0", "name": "net1", "type": "host-local"},
            "IPAM config missing 'ipam' key", 7)
    refused(host, {**host_local_config(), "ipam": {"type": "host-local"}}, "no IP ranges specified", 7)


def test_the_ghost_fields_of_go_are_tolerated(host):
    body = host_local_config(Name="x", name="y")
    add(host, body).ok()


def parallel(host, count, config, plugins=None):
    """`count` ADDs at once; returns their outcomes."""
    plugins = plugins or host.ours
    gate = threading.Barrier(8)

    def one(number):
        if number < 8:
            gate.wait()
        return plugins.call("host-local", "ADD", config, netns="/x", container=f"c{number}")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return list(pool.map(one, range(count)))


def test_parallel_adds_never_share_an_address(host):
    config = host_local_config()
    given = [result_addresses(reply.ok())[0] for reply in parallel(host, 100, config)]
    assert len(set(given)) == 100 and len(leases()) == 100


def test_parallel_adds_exhaust_a_range_exactly(host):
    config = host_local_config(subnet="10.1.0.0/28")
    good = [reply for reply in parallel(host, 30, config) if reply.code == 0]
    assert len(good) == 13 == len(leases()) == len({result_addresses(reply)[0] for reply in good})

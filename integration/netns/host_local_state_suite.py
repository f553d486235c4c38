# host-local's directory: format, GC, STATUS, reboots, damaged files, full and read-only disks, many leases.

import os
import pathlib
import resource

from host_local_calls import DIRECTORY, add, delete, first, refused
from private_host import mount_small, pretend_reboot, remount_read_only
from tap import allow
from test_host import LEASES, host_local_config, leases


def test_lease_files_have_the_format_of_the_reference(host):
    add(host, host_local_config()).ok()
    assert (DIRECTORY / "10.1.0.2").read_bytes() == b"c1\r\neth0"
    assert (DIRECTORY / "last_reserved_ip.0").read_bytes() == b"10.1.0.2"
    assert (DIRECTORY / "lock").exists() and os.stat(DIRECTORY).st_mode & 0o777 == 0o755
    for name in ("10.1.0.2", "last_reserved_ip.0"):
        assert os.stat(DIRECTORY / name).st_mode & 0o777 == 0o600, name
    visible = {path.name for path in DIRECTORY.iterdir() if not path.name.startswith(".")}
    assert visible == {"10.1.0.2", "last_reserved_ip.0", "lock"}, visible


def test_ipv6_lease_files_have_canonical_names(host):
    config = host_local_config(subnet="2001:DB8:0:0::/64", rangeStart="2001:0db8::00ff")
    assert first(host, config) == "2001:db8::ff/64" and list(leases()) == ["2001:db8::ff"]


def test_data_dir_is_used(host):
    config = host_local_config(dataDir="/run/test/leases")
    add(host, config).ok()
    assert list(leases(directory="/run/test/leases")) == ["10.1.0.2"] and not LEASES.exists()
    delete(host, config).ok()
    assert leases(directory="/run/test/leases") == {}


def test_a_legacy_lease_with_only_an_id_is_released_and_checked(host):
    config = host_local_config()
    os.makedirs(DIRECTORY)
    (DIRECTORY / "10.1.0.9").write_text("c1")
    host.ours.call("host-local", "CHECK", {**config, "prevResult": {"ips": []}}, netns="/x").ok()
    refused(host, config, "10.1.0.9 has been allocated to c1")
    delete(host, config).ok()
    assert leases() == {}


def test_trailing_blanks_in_a_lease_do_not_matter(host):
    os.makedirs(DIRECTORY)
    (DIRECTORY / "10.1.0.9").write_text("c1\r\neth0\n")
    delete(host, host_local_config()).ok()
    assert leases() == {}


def test_gc_frees_what_is_neither_listed_nor_cached_by_libcni(host):
    config = host_local_config()
    for name in ("keep", "drop", "cached"):
        add(host, config, name).ok()
    os.makedirs("/var/lib/cni/results")
    pathlib.Path("/var/lib/cni/results/net1-cached-eth0").write_text('{"kind":"cniCacheV1"}')
    host.ours.collect(config, [("keep", "eth0")]).ok()
    assert sorted(holder for holder, _ in leases().values()) == ["cached", "keep"]


def test_gc_without_the_key_frees_nothing_alive(host):
    config = host_local_config()
    add(host, config).ok()
    host.ours.collect(config, None).ok()
    assert len(leases()) == 1


def test_status_reports_exhaustion_and_a_bad_directory(host):
    config = host_local_config(subnet="10.1.0.0/30")
    host.ours.status(config).ok()
    add(host, config).ok()
    host.ours.status(config).error((50, 51))
    pathlib.Path("/run/test/file").touch()
    host.ours.status(host_local_config(dataDir="/run/test/file")).error(50, "/run/test/file")


def test_status_of_a_missing_ipam_is_an_error(host):
    host.ours.status({"cniVersion": "1.1.0", "name": "net1", "type": "host-local"}).error()


def test_leases_of_an_earlier_boot_are_reclaimed(host):
    config = host_local_config(subnet="10.1.0.0/30")
    pretend_reboot("11111111-1111-1111-1111-111111111111")
    assert first(host, config, "old") == "10.1.0.2/30"
    add(host, config, "late").error()
    pretend_reboot("22222222-2222-2222-2222-222222222222")
    assert first(host, config, "new") == "10.1.0.2/30"
    assert leases() == {"10.1.0.2": ("new", "eth0")}
    add(host, config, "later").error()


def test_a_lease_that_we_did_not_date_survives_a_reboot(host):
    config = host_local_config(subnet="10.1.0.0/30")
    os.makedirs(DIRECTORY)
    (DIRECTORY / "10.1.0.2").write_text("theirs\r\neth0")
    pretend_reboot("22222222-2222-2222-2222-222222222222")
    add(host, config, "late").error()
    assert leases() == {"10.1.0.2": ("theirs", "eth0")}


def test_a_lease_made_again_by_the_reference_after_a_reboot_is_theirs(host):
    config = host_local_config(subnet="10.1.0.0/30")
    pretend_reboot("11111111-1111-1111-1111-111111111111")
    add(host, config, "old").ok()
    pretend_reboot("22222222-2222-2222-2222-222222222222")
    (DIRECTORY / "10.1.0.2").unlink()
    host.theirs.call("host-local", "ADD", config, netns="/x", container="theirs").ok()
    add(host, config, "late").error()
    assert leases() == {"10.1.0.2": ("theirs", "eth0")}


def test_zero_byte_and_corrupt_lease_files_do_not_stop_add_or_del(host):
    config = host_local_config(subnet="10.1.0.0/28")
    os.makedirs(DIRECTORY)
    (DIRECTORY / "10.1.0.2").touch()
    (DIRECTORY / "10.1.0.3").write_bytes(b"\0" * 100)
    (DIRECTORY / "10.1.0.4").write_bytes(b"\xff" * 5000)
    (DIRECTORY / "not-an-address").write_text("x")
    (DIRECTORY / "10.1.0.5").mkdir()
    (DIRECTORY / "last_reserved_ip.0").write_bytes(b"garbage")
    assert first(host, config) == "10.1.0.6/28"
    delete(host, config).ok()
    assert not (DIRECTORY / "10.1.0.6").exists()
    assert first(host, config, "c2") not in ("10.1.0.2/28", "10.1.0.3/28", "10.1.0.4/28", "10.1.0.5/28")


def test_damaged_hints_cost_a_rescan_and_never_a_double_lease(host):
    config = host_local_config(subnet="10.1.0.0/27")
    seen = set()
    for round_number, garbage in enumerate((b"", b"\0" * 64, b"{}", os.urandom(300))):
        for path in sorted(DIRECTORY.rglob(".*")) if DIRECTORY.exists() else ():
            if path.is_file() and not path.is_symlink():
                path.write_bytes(garbage)
        given = first(host, config, f"c{round_number}")
        assert given not in seen, given
        seen.add(given)
    for round_number in range(4):
        delete(host, config, f"c{round_number}").ok()
    assert leases() == {}


def test_removed_hints_do_not_lose_a_lease(host):
    config = host_local_config()
    add(host, config, "c1").ok()
    os.system(f"rm -rf {DIRECTORY}/.[!.]*")
    assert first(host, config, "c2") == "10.1.0.3/24"
    delete(host, config, "c1").ok()
    assert leases() == {"10.1.0.3": ("c2", "eth0")}


def test_leases_written_by_others_are_seen(host):
    config = host_local_config(subnet="10.1.0.0/29")
    add(host, config, "c1").ok()
    (DIRECTORY / "10.1.0.3").write_text("other\r\neth0")
    assert first(host, config, "c2") == "10.1.0.4/29"
    (DIRECTORY / "10.1.0.3").unlink()
    assert [first(host, config, f"d{number}") for number in range(3)] == [
        "10.1.0.5/29", "10.1.0.6/29", "10.1.0.3/29"]


def fill(path):
    """Writes a file until its file system is full."""
    ballast = os.open(path, os.O_CREAT | os.O_WRONLY)
    try:
        while True:
            os.write(ballast, b"x" * 4096)
    except OSError:
        os.close(ballast)


def test_a_full_disk_is_one_clear_error_and_no_lease(host):
    mount_small("/run/test/small", "64k")
    config = host_local_config(dataDir="/run/test/small")
    add(host, config, "early").ok()
    fill("/run/test/small/ballast")
    add(host, config, "late").error(5, "No space left on device")
    assert leases(directory="/run/test/small") == {"10.1.0.2": ("early", "eth0")}
    delete(host, config, "early").ok()
    assert leases(directory="/run/test/small") == {}


def test_no_inodes_left_is_one_clear_error_and_no_lease(host):
    os.makedirs("/run/test/few")
    os.system("mount -t tmpfs -o nr_inodes=4 tmpfs /run/test/few")
    config = host_local_config(dataDir="/run/test/few")
    add(host, config).error(5, "No space left on device")
    assert leases(directory="/run/test/few") == {}


def test_a_read_only_data_dir_is_one_clear_error(host):
    mount_small("/run/test/ro", "1m")
    config = host_local_config(dataDir="/run/test/ro")
    add(host, config, "early").ok()
    remount_read_only("/run/test/ro")
    refused(host, config, "/run/test/ro", 5)
    host.ours.status(config).error(50, "/run/test/ro")
    assert list(leases(directory="/run/test/ro")) == ["10.1.0.2"]


def work_of_calls(host, config):
    """What ten ADDs and DELs cost after the first, in seconds of a processor: no load of the machine is in it."""
    def used():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime
    first(host, config, "adopt")
    before = used()
    for number in range(10):
        add(host, config, f"c{number}").ok()
        delete(host, config, f"c{number}").ok()
    return used() - before


@allow(120)
def test_many_leases_cost_no_more_than_few(host):
    config = host_local_config(subnet="10.0.0.0/8")
    os.makedirs(DIRECTORY)
    for number in range(20000):
        (DIRECTORY / f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}").write_text(f"x{number}\r\neth0")
    few, many = (work_of_calls(host, one) for one in (host_local_config(keys={"name": "net2"}), config))
    assert many < 5 * few, f"20 calls took {few:.3f} s of a processor, at 20000 leases {many:.3f} s"
    assert len(leases()) == 20001

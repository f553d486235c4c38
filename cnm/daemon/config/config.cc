// config.cc: cnmd's configuration file.
#include "cnm/daemon/config/config.h"

#include <charconv>
#include <chrono>
#include <cstdint>
#include <iterator>

#include <fmt/format.h>

#include "cnm/daemon/config/toml_table.h"
#include "common/base/atomic_file.h"
#include "common/base/error.h"
#include "common/net/address.h"

namespace cnm::daemon {
namespace {

constexpr size_t kFileLimit = size_t{1} << 20;
constexpr char kLabelPrefix[] = "com.docker.network";

/// Reads the sections one by one, collecting what each has to warn of.
class Reader {
 public:
  Reader(const toml::table& root, const std::string& file, Config& config)
      : file_(file), root_(root, file, ""), config_(config) {}

  std::vector<std::string> Read() {
    ReadDaemon();
    ReadListen();
    ReadDocker();
    Section("ports",
            [&](TomlTable& table) { table.Optional("userland_proxy", config_.userland_proxy); });
    ReadState();
    ReadLimits();
    RefuseStores();
    Add(root_.Warnings());
    return std::move(warnings_);
  }

 private:
  void Add(std::vector<std::string> more) {
    warnings_.insert(warnings_.end(), std::make_move_iterator(more.begin()),
                     std::make_move_iterator(more.end()));
  }

  template <class Read>
  void Section(const char* name, const Read& read) {
    const toml::table* found = root_.Section(name);
    if (found == nullptr) return;
    TomlTable table(*found, file_, name);
    read(table);
    Add(table.Warnings());
  }

  void ReadDaemon() {
    Section("daemon", [&](TomlTable& table) {
      table.Optional("debug", config_.debug);
      table.Optional("defaultnetwork", config_.default_network);
      table.Optional("defaultdriver", config_.default_driver);
      table.Optional("labels", config_.labels);
    });
    std::erase_if(config_.labels, [&](const std::string& label) {
      const bool foreign = !label.starts_with(kLabelPrefix);
      if (foreign) {
        warnings_.push_back(
            fmt::format("{}: daemon.labels: {} is ignored, it does not begin with {}", file_, label,
                        kLabelPrefix));
      }
      return foreign;
    });
  }

  void ReadListen() {
    Section("listen", [&](TomlTable& table) {
      table.Optional("socket", config_.socket);
      table.Optional("group", config_.group);
      table.Optional("tcp", config_.tcp);
      table.Optional("tlsverify", config_.tls_verify);
      table.Optional("tlscacert", config_.tls_files.ca);
      table.Optional("tlscert", config_.tls_files.certificate);
      table.Optional("tlskey", config_.tls_files.key);
    });
    for (const std::string& text : config_.tcp) ParseTcpEndpoint(text);
  }

  void ReadDocker() {
    Section("docker", [&](TomlTable& table) {
      table.Optional("enabled", config_.docker);
      table.Optional("socket", config_.docker_socket);
    });
  }

  void ReadState() {
    Section("state", [&](TomlTable& table) {
      table.Optional("runtime", config_.runtime_directory);
      table.Optional("durable", config_.durable_directory);
      table.Optional("leases", config_.lease_directory);
      table.Optional("files", config_.files_directory);
      table.Optional("netns", config_.netns_directory);
    });
  }

  void ReadLimits() {
    http::Limits& limits = config_.limits;
    Section("limits", [&](TomlTable& table) {
      limits.connections = Number(table, "connections", limits.connections, {1, 65536});
      limits.workers = static_cast<unsigned>(Number(table, "workers", limits.workers, {1, 64}));
      limits.header_bytes = Number(table, "header_bytes", limits.header_bytes, {1024, 1 << 20});
      limits.body_bytes = Number(table, "body_bytes", limits.body_bytes, {1024, 64 << 20});
      ReadSeconds(table, "handshake_seconds", limits.handshake_time);
      ReadSeconds(table, "request_seconds", limits.request_time);
      ReadSeconds(table, "answer_seconds", limits.answer_time);
      ReadSeconds(table, "idle_seconds", limits.idle_time);
    });
  }

  static size_t Number(TomlTable& table, std::string_view key, size_t value, Bounds bounds) {
    auto number = static_cast<int64_t>(value);
    table.Optional(key, number, bounds);
    return static_cast<size_t>(number);
  }

  static void ReadSeconds(TomlTable& table, std::string_view key,
                          std::chrono::milliseconds& value) {
    int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(value).count();
    table.Optional(key, seconds, {1, 3600});
    value = std::chrono::seconds(seconds);
  }

  /// libnetwork's sections for clusters. One store is used here, whatever [localstore] says.
  void RefuseStores() {
    for (const char* name : {"globalstore", "cluster"}) {
      const toml::table* section = root_.Section(name);
      if (section == nullptr || section->empty()) continue;
      throw Error(Code::kConfig,
                  fmt::format("{} line {}: [{}]: multi-host is not in this release", file_,
                              section->source().begin.line, name),
                  "remove the section; networks, pools and endpoints are kept on this host");
    }
    if (const toml::table* section = root_.Section("localstore"); section != nullptr) {
      warnings_.push_back(
          fmt::format("{} line {}: [localstore] is ignored: what is kept lies in state.durable",
                      file_, section->source().begin.line));
    }
  }

  const std::string& file_;
  TomlTable root_;
  Config& config_;
  std::vector<std::string> warnings_;
};

/// Takes "[::1]" or "127.0.0.1" off the front of `text`, up to the last colon.
std::string TakeHost(std::string_view& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return {};
  std::string_view host = text.substr(0, colon);
  text.remove_prefix(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return std::string(host);
}

}  // namespace

TcpEndpoint ParseTcpEndpoint(std::string_view text) {
  constexpr std::string_view kScheme = "tcp://";
  std::string_view rest = text;
  if (rest.starts_with(kScheme)) rest.remove_prefix(kScheme.size());
  TcpEndpoint endpoint{.address = TakeHost(rest)};
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), endpoint.port);
  if (!net::Address::Parse(endpoint.address) || error != std::errc() ||
      end != rest.data() + rest.size()) {
    throw Error(Code::kConfig,
                fmt::format("listen on {}: want ADDRESS:PORT with a numeric address", text),
                "for example 127.0.0.1:2385");
  }
  return endpoint;
}

std::vector<std::string> ReadConfig(std::string_view text, const std::string& name,
                                    Config& config) {
  try {
    const toml::table root = toml::parse(text);
    return Reader(root, name, config).Read();
  } catch (const toml::parse_error& e) {
    throw Error(Code::kDecode,
                fmt::format("{} line {}: {}", name, e.source().begin.line, e.description()));
  }
}

std::vector<std::string> ReadConfigFile(const std::string& path, Config& config) {
  const std::optional<std::string> text = ReadFile(path, kFileLimit);
  if (!text) throw SystemError(Code::kIo, fmt::format("read {}", path), ENOENT);
  return ReadConfig(*text, path, config);
}

}  // namespace cnm::daemon

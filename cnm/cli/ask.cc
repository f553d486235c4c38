// ask.cc: cnmd as cnmctl asks it.
#include "cnm/cli/ask.h"

#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "cnm/cli/look.h"
#include "common/base/error.h"
#include "common/json/object.h"
#include "common/json/writer.h"

namespace cnm::cli {
namespace {

std::optional<unsigned> ParsePort(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || port == 0 || port > UINT16_MAX) return std::nullopt;
  return port;
}

std::optional<unsigned> ParseProtocol(std::string_view text) {
  if (text == "tcp") return 6;
  if (text == "udp") return 17;
  if (text == "sctp") return 132;
  return std::nullopt;
}

/// Takes what follows the last `separator` off the text; "" when there is none.
std::string_view TakeBehind(std::string_view& text, char separator) {
  const size_t at = text.rfind(separator);
  if (at == std::string_view::npos) return {};
  const std::string_view behind = text.substr(at + 1);
  text = text.substr(0, at);
  return behind;
}

bool SaysNothing(std::string_view json) {
  return json == "\"\"" || json == "{}" || json == "[]" || json == "null";
}

}  // namespace

api::Client OpenClient(const Options& options) {
  http::ServerAddress server = http::ParseServerAddress(options.socket);
  if (server.unix_path.empty()) {
    server.tls = api::ResolveTls(options.tls);
  } else if (::access(server.unix_path.c_str(), W_OK) != 0 && errno == EACCES) {
    throw Error(Code::kEnvironment, fmt::format("{}: permission denied", options.socket),
                "it is for root and the members of group cnm: use sudo, or usermod --append "
                "--groups cnm USER and log in again");
  }
  return api::Client({.server = std::move(server),
                      .unreachable = "cnmd does not answer (systemctl start cnmd?): "});
}

std::map<std::string, std::string> KeyValues(const std::vector<std::string>& texts) {
  std::map<std::string, std::string> values;
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos) {
      throw Error(Code::kEnvironment, fmt::format("option {}: want KEY=VALUE", text));
    }
    values[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return values;
}

api::PortRequest ParsePublish(std::string_view text) {
  std::string_view rest = text;
  const bool named = rest.find('/') != std::string_view::npos;
  const auto number = named ? ParseProtocol(TakeBehind(rest, '/')) : std::optional(6U);
  const auto port = ParsePort(TakeBehind(rest, ':'));
  const bool with_address = rest.find(':') != std::string_view::npos;
  const auto host_port = ParsePort(with_address ? TakeBehind(rest, ':') : std::exchange(rest, {}));
  if (rest.starts_with('[') && rest.ends_with(']')) rest = rest.substr(1, rest.size() - 2);
  if (number && port && host_port) {
    return {.protocol = *number,
            .port = *port,
            .host_address = std::string(rest),
            .host_port = *host_port};
  }
  throw Error(Code::kEnvironment,
              fmt::format("publish {}: want [ADDRESS:]HOSTPORT:PORT[/tcp|udp|sctp]", text));
}

api::ServiceView FindService(const api::Client& client, const std::string& name) {
  const size_t dot = name.rfind('.');
  if (dot == std::string::npos) return client.FindService(name, "");
  return client.FindService(name.substr(0, dot), name.substr(dot + 1));
}

api::ServiceView FindEndpoint(const api::Client& client, const std::string& network,
                              const std::string& name) {
  return client.FindService(name, GetApiNetwork(AskInventory(client), network).name);
}

std::string FindSandboxId(const api::Client& client, const std::string& container_id) {
  std::vector<std::string> found;
  for (const api::SandboxView& sandbox : client.Sandboxes()) {
    if (sandbox.container_id == container_id) return sandbox.id;
    if (sandbox.container_id.starts_with(container_id)) found.push_back(sandbox.id);
  }
  if (found.size() == 1) return found.front();
  if (!found.empty()) {
    throw Error(Code::kConfig,
                fmt::format("container {}: {} sandboxes begin so", container_id, found.size()));
  }
  throw Error(Code::kNotFound, fmt::format("container {}: has no sandbox", container_id),
              fmt::format("cnmctl sandbox create {}", container_id));
}

void PrintObject(const std::string& body, bool json) {
  if (json) {
    json::Writer w(json::Style::kIndented);
    std::fputs(fmt::format("{}\n", w.Raw(body).Take()).c_str(), stdout);
    return;
  }
  std::string text;
  for (const auto& [key, value] : json::Parse(body, "answer").Members()) {
    const std::string said = value.Text();
    if (SaysNothing(said)) continue;
    const bool quoted = said.starts_with('"');
    text += fmt::format("{:<16}{}\n", key, quoted ? value.String() : said);
  }
  std::fputs(text.c_str(), stdout);
}

}  // namespace cnm::cli

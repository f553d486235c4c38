// pools.cc: cnmctl pool ls and rm: what Docker has of our pools for networks of other drivers.
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cnm/cli/ask.h"
#include "cnm/cli/commands.h"
#include "cnm/cli/table.h"
#include "common/json/object.h"
#include "common/json/writer.h"

namespace cnm::cli {
namespace {

/// The elements of an array that cnmd answered.
std::vector<json::Object> Elements(const std::string& array) {
  const json::Object answer = json::Parse(fmt::format(R"({{"answer":{}}})", array), "answer");
  return answer.Objects("answer");
}

}  // namespace

int ListPools(const Options& options) {
  Table table({"POOL", "USES"});
  json::Writer w(json::Style::kIndented);
  w.BeginArray();
  for (const json::Object& pool : Elements(OpenClient(options).Send("GET", "/docker-pools"))) {
    std::string id;
    uint32_t uses = 0;
    pool.Required("id", id);
    pool.Optional("uses", uses);
    table.Add({id, fmt::to_string(uses)});
    w.BeginObject().Member("id", id).Member("uses", uses).EndObject();
  }
  w.EndArray();
  std::fputs((options.json ? fmt::format("{}\n", w.Take()) : table.ToString()).c_str(), stdout);
  return 0;
}

int RemovePools(const Options& options) {
  const api::Client client = OpenClient(options);
  for (const std::string& pool : options.arguments) {
    json::Writer w;
    w.BeginObject().Member("pool", pool).Member("force", options.force).EndObject();
    client.Send("DELETE", "/docker-pools", w.Take());
  }
  return 0;
}

}  // namespace cnm::cli

// plugin_fuzz.cc: whatever a plugin answers, decoding it ends in a value or in an Error; and what
// was decoded of the shared labels is the same after it was written and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cnm/drivers/remote/codec.h"
#include "cnm/engine/labels.h"
#include "common/base/error.h"
#include "common/json/object.h"
#include "common/json/writer.h"

namespace {

using cnm::json::Object;
using cnm::json::Writer;

template <class Step>
void Tolerate(Step step) {
  try {
    step();
  } catch (const cnm::Error&) {  // the only way to refuse
  }
}

void Require(bool condition) {
  if (!condition) std::abort();
}

/// {"<key>": what `encode` writes}, parsed.
template <class Encode>
Object Written(std::string_view key, Encode encode) {
  Writer writer;
  writer.BeginObject().Key(key);
  encode(writer);
  return cnm::json::Parse(writer.EndObject().Take(), "written");
}

void CheckLabels(const Object& object) {
  namespace engine = cnm::engine;
  Tolerate([&] {
    const auto ports = engine::DecodeExposedPorts(object);
    Require(ports == engine::DecodeExposedPorts(Written(engine::kExposedPortsLabel, [&](Writer& w) {
              engine::EncodeExposedPorts(ports, w);
            })));
  });
  Tolerate([&] {
    const auto bindings = engine::DecodePortBindings(object);
    Require(bindings == engine::DecodePortBindings(Written(engine::kPortMapLabel, [&](Writer& w) {
              engine::EncodePortBindings(bindings, w);
            })));
  });
  Tolerate([&] {
    const auto interface = engine::DecodeInterface(object, "Interface");
    Require(interface ==
            engine::DecodeInterface(
                Written("Interface", [&](Writer& w) { engine::EncodeInterface(interface, w); }),
                "Interface"));
  });
  Tolerate([&] {
    const auto pools = engine::DecodePools(object, "IPv4Data");
    Require(pools == engine::DecodePools(
                         Written("IPv4Data", [&](Writer& w) { engine::EncodePools(pools, w); }),
                         "IPv4Data"));
  });
  Tolerate([&] {
    const auto mac = engine::DecodeMacLabel(object);
    if (mac) Require(engine::EncodeMacLabel(*mac).size() == 8);
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Tolerate([&] {
    const Object answer = cnm::json::Parse(text, "answer");
    Tolerate([&] { cnm::remote::DecodeJoin(answer); });
    Tolerate([&] { cnm::remote::DecodeScope(answer); });
    Tolerate([&] {
      cnm::engine::NetworkConfig network;
      cnm::engine::DecodeNetworkOptions(answer, network);
      cnm::remote::EncodeNetwork(network);
    });
    CheckLabels(answer);
  });
  return 0;
}

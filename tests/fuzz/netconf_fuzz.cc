// netconf_fuzz.cc: whatever comes on stdin as a network configuration, decoding it ends in a value
// or in an Error.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "cnm/drivers/bridge/options.h"
#include "common/base/error.h"
#include "common/json/object.h"
#include "ipam/host_local/config.h"
#include "plugins/cni/result.h"
#include "plugins/cni/valid_attachments.h"
#include "plugins/main/bridge/config.h"

namespace {

template <class Step>
void Tolerate(Step step) {
  try {
    step();
  } catch (const cnm::Error&) {  // the only way to refuse
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Tolerate([&] {
    const cnm::json::Object conf = cnm::json::Parse(text, "network configuration");
    Tolerate([&] {
      const cnm::bridge::Config config = cnm::bridge::DecodeConfig(conf, "");
      // What is recorded must read back as the same options.
      const std::string recorded = cnm::bridge::Encode(config.options);
      if (cnm::bridge::Decode(cnm::json::Parse(recorded, "options")) != config.options) {
        __builtin_trap();
      }
    });
    Tolerate([&] { cnm::host_local::DecodeConfig(conf); });
    Tolerate([&] { cnm::cni::DecodeValidAttachments(conf); });
    Tolerate([&] { cnm::cni::DecodePrevResult(conf, "1.0.0"); });
    cnm::host_local::DecodeDataDir(conf);
    conf.Warnings();
  });
  return 0;
}

// pool_bits.cc: which addresses of one pool are taken.
#include "ipam/pool_bits.h"

#include <netinet/in.h>  // resolv.h needs it
#include <resolv.h>

#include <algorithm>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/json/object.h"
#include "common/json/writer.h"

namespace cnm::ipam {
namespace {

constexpr uint32_t kMaxBits = UINT32_MAX - 63;  // whole blocks

uint32_t BitsFor(const net::Prefix& subnet) {
  const uint64_t last = subnet.Last().DistanceFrom(subnet.Subnet().address);
  if (last < 3) {
    throw Error(Code::kConfig, fmt::format("pool {} is too small", subnet.ToString()));
  }
  return last >= kMaxBits ? kMaxBits : static_cast<uint32_t>(last) + 1;
}

std::string ToBase64(std::string_view bytes) {
  std::string text(bytes.size() / 3 * 4 + 8, '\0');
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are bytes
  const int length = b64_ntop(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                              text.data(), text.size());
  text.resize(static_cast<size_t>(std::max(length, 0)));
  return text;
}

std::string FromBase64(const std::string& text) {
  std::string bytes(text.size(), '\0');
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are bytes
  const int length =
      b64_pton(text.c_str(), reinterpret_cast<unsigned char*>(bytes.data()), bytes.size());
  if (length < 0) throw Error(Code::kDecode, "address pool: bits are not base64 text");
  bytes.resize(static_cast<size_t>(length));
  return bytes;
}

}  // namespace

PoolBits::PoolBits(const net::Prefix& subnet) : subnet_(subnet.Subnet()), bits_(BitsFor(subnet)) {
  bits_.Set(0);
  if (subnet.address.is_v4() && OrdinalOf(subnet.Last())) bits_.Set(bits_.bits() - 1);
}

std::optional<net::Address> PoolBits::TakeAny(const net::Prefix& within, bool serial) {
  const auto first = OrdinalOf(within.Subnet().address);
  if (!first) return std::nullopt;
  const uint32_t last = OrdinalOf(within.Last()).value_or(bits_.bits() - 1);
  std::optional<uint32_t> taken;
  if (serial && last_ && *last_ >= *first && *last_ < last) {
    taken = bits_.SetAnyInRange(*last_ + 1, last);
  }
  if (!taken) taken = bits_.SetAnyInRange(*first, last);
  if (!taken) return std::nullopt;
  last_ = taken;
  return subnet_.address.Plus(*taken);
}

bool PoolBits::Take(const net::Prefix& within, const net::Address& address) {
  CheckInside(within, address);
  if (const auto ordinal = OrdinalOf(address)) return bits_.Set(*ordinal);
  const auto place = std::ranges::lower_bound(far_, address);
  if (place != far_.end() && *place == address) return false;
  far_.insert(place, address);
  return true;
}

bool PoolBits::Give(const net::Prefix& within, const net::Address& address) {
  CheckInside(within, address);
  if (const auto ordinal = OrdinalOf(address)) return bits_.Unset(*ordinal);
  return std::erase(far_, address) > 0;
}

std::string PoolBits::Encode() const {
  json::Writer w;
  w.BeginObject().Member("bits", ToBase64(bits_.Serialize()));
  if (last_) w.Member("last", *last_);
  if (!far_.empty()) {
    w.Key("beyond").BeginArray();
    for (const net::Address& address : far_) w.String(address.ToString());
    w.EndArray();
  }
  w.EndObject();
  return w.Take();
}

PoolBits PoolBits::Decode(const net::Prefix& subnet, std::string_view text) {
  const json::Object o = json::Parse(text, "address pool");
  PoolBits pool(subnet);
  std::string bits;
  o.Required("bits", bits);
  const BitSequence stored = BitSequence::Deserialize(FromBase64(bits));
  if (stored.bits() != pool.bits_.bits()) {
    throw Error(Code::kDecode, fmt::format("address pool {}: {} bits instead of {}",
                                           subnet.ToString(), stored.bits(), pool.bits_.bits()));
  }
  pool.bits_ = stored;
  uint32_t last = 0;
  if (o.Optional("last", last)) pool.last_ = last;
  std::vector<std::string> beyond;
  o.Optional("beyond", beyond);
  for (const std::string& far : beyond) {
    const auto address = net::Address::Parse(far);
    if (!address) throw Error(Code::kDecode, fmt::format("address pool: {} is no address", far));
    pool.far_.push_back(*address);
  }
  std::ranges::sort(pool.far_);
  return pool;
}

std::optional<uint32_t> PoolBits::OrdinalOf(const net::Address& address) const {
  const uint64_t distance = address.DistanceFrom(subnet_.address);
  if (distance >= bits_.bits()) return std::nullopt;
  return static_cast<uint32_t>(distance);
}

void PoolBits::CheckInside(const net::Prefix& within, const net::Address& address) const {
  const bool broadcast = address.is_v4() && address == subnet_.Last();
  if (within.Contains(address) && address != subnet_.address && !broadcast) return;
  throw Error(Code::kConfig, fmt::format("requested address {} is out of range of {}",
                                         address.ToString(), within.Subnet().ToString()));
}

}  // namespace cnm::ipam

// network_table.h: the networks of one door, in memory and in the durable store.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cnm/drivers/local/local_network.h"
#include "cnm/store/file_store.h"

namespace cnm::local {

/// A thread safe table. Its records are `<durable>/bridge-networks/<id>.json`; other doors' are
/// beside its own.
class NetworkTable {
 public:
  /// Reads the records of the door; one that cannot be read is named on stderr and left in place.
  NetworkTable(const std::string& durable_directory, std::string door);

  /// nullptr if there is none.
  std::shared_ptr<const LocalNetwork> Find(const std::string& id) const;
  /// This door's.
  std::vector<std::shared_ptr<const LocalNetwork>> All() const;
  /// Every door's, as recorded now.
  std::vector<LocalNetwork> Recorded() const;

  /// Writes the record, durably, and then shows it. @throws Error kIo
  void Put(LocalNetwork network);
  /// @returns whether there was one. @throws Error kIo
  bool Remove(const std::string& id);

 private:
  FileStore Open() const;

  std::string directory_;
  std::string door_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const LocalNetwork>> networks_;
};

}  // namespace cnm::local

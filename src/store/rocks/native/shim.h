// What rocksq has of its own in C++, beside RocksDB's C interface. See mod.rs.

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "rocksdb/c.h"

extern "C" {

// How a step of a reader ended.
enum rocksq_step {
  ROCKSQ_ROW = 0,
  ROCKSQ_END = 1,
  ROCKSQ_FAILED = 2,
  ROCKSQ_NO_MEMORY = 3,
};

// Has a database opened with `options` keep its files off the standard descriptors, and use threads
// of the process with the number `process`, which is this one. No thread of a process that it was
// forked from may be in here at the fork.
void rocksq_use_environment(rocksdb_options_t* options, uint64_t process);

// Gives each standard descriptor that is closed to /dev/null, so that no file gets it.
void rocksq_occupy_standard_descriptors(void);

// Each step may fail for lack of memory. After that the reader must not be asked any more.
rocksq_step rocksq_seek(rocksdb_iterator_t* rows, const char* key, size_t length);
rocksq_step rocksq_seek_for_prev(rocksdb_iterator_t* rows, const char* key, size_t length);
rocksq_step rocksq_next(rocksdb_iterator_t* rows);
}

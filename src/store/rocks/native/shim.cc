#include "shim.h"

#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "rocksdb/env.h"
#include "rocksdb/file_system.h"
#include "util/threadpool_imp.h"

#ifndef _WIN32
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

// RocksDB's own `rocksdb_env_t`, which its C interface can only make of RocksDB's own environments.
struct rocksdb_env_t {
  rocksdb::Env* rep;
  bool is_default;
};

namespace {

template <typename Step>
rocksq_step attempt(rocksdb_iterator_t* rows, Step step) {
  try {
    step();
    if (rocksdb_iter_valid(rows)) {
      return ROCKSQ_ROW;
    }
    char* error = nullptr;
    rocksdb_iter_get_error(rows, &error);
    if (error == nullptr) {
      return ROCKSQ_END;
    }
    rocksdb_free(error);
    return ROCKSQ_FAILED;
  } catch (const std::bad_alloc&) {
    return ROCKSQ_NO_MEMORY;
  } catch (const std::length_error&) {
    return ROCKSQ_NO_MEMORY;
  }
}

#ifndef _WIN32

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

// Gives each standard descriptor that is closed to /dev/null, so that no file gets it.
void occupy_standard_descriptors() {
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    if (fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) {
      continue;
    }
    int taken = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (taken > STDERR_FILENO) {
      close(taken);
    }
  }
}

// Whether a standard descriptor is one of the file at `name`.
bool has_standard_descriptor(const std::string& name) {
  struct stat file;
  if (stat(name.c_str(), &file) != 0) {
    return false;
  }
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    struct stat taken;
    if (fstat(descriptor, &taken) == 0 && taken.st_dev == file.st_dev &&
        taken.st_ino == file.st_ino) {
      return true;
    }
  }
  return false;
}

// Opens the file at `name`, and opens it again when another thread has closed a standard descriptor
// in between and the file has got it.
template <typename Open, typename Close>
IOStatus opened_above(const std::string& name, Open open, Close close) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    occupy_standard_descriptors();
    IOStatus status = open();
    if (!status.ok() || !has_standard_descriptor(name)) {
      return status;
    }
    close();
  }
  return IOStatus::IOError("The program goes on closing its standard descriptors", name);
}

// The operating system gives a new file the lowest descriptor that is free. A program that has
// closed its standard output and still writes to it would write into a file of the queue.
class GuardedFileSystem : public rocksdb::FileSystemWrapper {
 public:
  GuardedFileSystem() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}

  const char* Name() const override { return "rocksq.GuardedFileSystem"; }

  IOStatus NewSequentialFile(const std::string& name, const FileOptions& options,
                             std::unique_ptr<rocksdb::FSSequentialFile>* result,
                             IODebugContext* context) override {
    occupy_standard_descriptors();
    return target()->NewSequentialFile(name, options, result, context);
  }

  IOStatus NewRandomAccessFile(const std::string& name, const FileOptions& options,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                               IODebugContext* context) override {
    occupy_standard_descriptors();
    return target()->NewRandomAccessFile(name, options, result, context);
  }

  IOStatus NewWritableFile(const std::string& name, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result,
                           IODebugContext* context) override {
    return opened_above(
        name, [&] { return target()->NewWritableFile(name, options, result, context); },
        [&] { result->reset(); });
  }

  IOStatus ReopenWritableFile(const std::string& name, const FileOptions& options,
                              std::unique_ptr<rocksdb::FSWritableFile>* result,
                              IODebugContext* context) override {
    return opened_above(
        name, [&] { return target()->ReopenWritableFile(name, options, result, context); },
        [&] { result->reset(); });
  }

  IOStatus ReuseWritableFile(const std::string& name, const std::string& old_name,
                             const FileOptions& options,
                             std::unique_ptr<rocksdb::FSWritableFile>* result,
                             IODebugContext* context) override {
    occupy_standard_descriptors();
    return target()->ReuseWritableFile(name, old_name, options, result, context);
  }

  IOStatus NewRandomRWFile(const std::string& name, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSRandomRWFile>* result,
                           IODebugContext* context) override {
    return opened_above(
        name, [&] { return target()->NewRandomRWFile(name, options, result, context); },
        [&] { result->reset(); });
  }

  IOStatus NewDirectory(const std::string& name, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* result,
                        IODebugContext* context) override {
    occupy_standard_descriptors();
    return target()->NewDirectory(name, options, result, context);
  }

  IOStatus GetChildren(const std::string& directory, const IOOptions& options,
                       std::vector<std::string>* result, IODebugContext* context) override {
    occupy_standard_descriptors();
    return target()->GetChildren(directory, options, result, context);
  }

  IOStatus LockFile(const std::string& name, const IOOptions& options, rocksdb::FileLock** lock,
                    IODebugContext* context) override {
    return opened_above(
        name, [&] { return target()->LockFile(name, options, lock, context); },
        [&] {
          target()->UnlockFile(*lock, options, context).PermitUncheckedError();
          *lock = nullptr;
        });
  }
};

// RocksDB's default environment, but for its files and its threads. The threads of the default one
// are started once: a forked child would wait for them in vain.
class QueueEnvironment : public rocksdb::EnvWrapper {
 public:
  QueueEnvironment()
      : EnvWrapper(rocksdb::NewCompositeEnv(std::make_shared<GuardedFileSystem>())) {
    // Otherwise each write would go through RocksDB's adapters for environments without these.
    file_system_ = target()->GetFileSystem();
    system_clock_ = target()->GetSystemClock();
    for (int priority = 0; priority < Priority::TOTAL; ++priority) {
      pools_[priority].SetThreadPriority(static_cast<Priority>(priority));
      pools_[priority].SetHostEnv(this);
    }
  }

  const char* Name() const override { return "rocksq.QueueEnvironment"; }

  void Schedule(void (*work)(void*), void* argument, Priority priority, void* tag,
                void (*unschedule)(void*)) override {
    pools_[priority].Schedule(work, argument, tag, unschedule);
  }

  int UnSchedule(void* tag, Priority priority) override {
    return pools_[priority].UnSchedule(tag);
  }

  unsigned int GetThreadPoolQueueLen(Priority priority) const override {
    return pools_[priority].GetQueueLen();
  }

  int ReserveThreads(int count, Priority priority) override {
    return pools_[priority].ReserveThreads(count);
  }

  int ReleaseThreads(int count, Priority priority) override {
    return pools_[priority].ReleaseThreads(count);
  }

  void SetBackgroundThreads(int count, Priority priority) override {
    pools_[priority].SetBackgroundThreads(count);
  }

  int GetBackgroundThreads(Priority priority) override {
    return pools_[priority].GetBackgroundThreads();
  }

  void IncBackgroundThreadsIfNeeded(int count, Priority priority) override {
    pools_[priority].IncBackgroundThreadsIfNeeded(count);
  }

  void LowerThreadPoolIOPriority(Priority priority) override {
#ifdef __linux__
    pools_[priority].LowerIOPriority();
#else
    (void)priority;
#endif
  }

  void LowerThreadPoolCPUPriority(Priority priority) override {
    pools_[priority].LowerCPUPriority(rocksdb::CpuPriority::kLow);
  }

  rocksdb::Status LowerThreadPoolCPUPriority(Priority priority,
                                             rocksdb::CpuPriority to) override {
    pools_[priority].LowerCPUPriority(to);
    return rocksdb::Status::OK();
  }

  void JoinAllThreads() {
    for (auto& pool : pools_) {
      pool.JoinAllThreads();
    }
  }

 private:
  rocksdb::ThreadPoolImpl pools_[Priority::TOTAL];
};

// The environment of this process. It is never deleted, since databases may be open until the end,
// and a child leaves that of its parent alone. Background work ends before RocksDB's statics go.
class Environments {
 public:
  rocksdb_env_t* of(uint64_t process) {
    std::lock_guard<std::mutex> alone(mutex_);
    if (environment_ == nullptr || process_ != process) {
      environment_ = new QueueEnvironment();
      handle_ = new rocksdb_env_t{environment_, false};
      process_ = process;
      pid_ = getpid();
    }
    return handle_;
  }

  ~Environments() {
    if (environment_ != nullptr && pid_ == getpid()) {
      environment_->JoinAllThreads();
    }
  }

 private:
  std::mutex mutex_;
  QueueEnvironment* environment_ = nullptr;
  rocksdb_env_t* handle_ = nullptr;
  uint64_t process_ = 0;
  pid_t pid_ = 0;
};

rocksdb_env_t* environment_of(uint64_t process) {
  // RocksDB's own statics come first, so they go last.
  rocksdb::Env::Default();
  static Environments environments;
  return environments.of(process);
}

#endif

}  // namespace

void rocksq_use_environment(rocksdb_options_t* options, uint64_t process) {
#ifndef _WIN32
  rocksdb_options_set_env(options, environment_of(process));
#else
  (void)options;
  (void)process;
#endif
}

void rocksq_occupy_standard_descriptors(void) {
#ifndef _WIN32
  occupy_standard_descriptors();
#endif
}

rocksq_step rocksq_seek(rocksdb_iterator_t* rows, const char* key, size_t length) {
  return attempt(rows, [&] { rocksdb_iter_seek(rows, key, length); });
}

rocksq_step rocksq_seek_for_prev(rocksdb_iterator_t* rows, const char* key, size_t length) {
  return attempt(rows, [&] { rocksdb_iter_seek_for_prev(rows, key, length); });
}

rocksq_step rocksq_next(rocksdb_iterator_t* rows) {
  return attempt(rows, [&] { rocksdb_iter_next(rows); });
}

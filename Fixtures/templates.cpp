// 41 threads of C++, one of which computes in a method of a class with long template arguments, below
// several std::function; the others wait for work, or sleep.
#include <pthread.h>
#include <unistd.h>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <functional>
#include <map>
#include <mutex>
#include <numeric>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#define NOINLINE __attribute__((noinline))

namespace market {
namespace detail {
template <typename Key, typename Value, typename Compare = std::less<Key>>
struct OrderBook {
  std::map<Key, std::vector<Value>, Compare> levels;

  template <typename Visitor>
  NOINLINE double settle(Visitor visitor, int rounds) {
    double sum = 0;
    for (int i = 0; i < rounds; i++)
      for (auto &level : levels)
        sum += std::accumulate(level.second.begin(), level.second.end(), 0.0, visitor);
    return sum;
  }
};
}  // namespace detail
}  // namespace market

using Value = std::variant<int, double>;
using Book = market::detail::OrderBook<std::string, Value, std::greater<std::string>>;

static std::mutex mutex;
static std::condition_variable wake;
static volatile double total;

NOINLINE static void match_orders() {
  Book book;
  for (int i = 0; i < 200; i++)
    for (int j = 0; j < 50; j++) book.levels["level " + std::to_string(i)].push_back(j * 1.5);
  auto add = [](double sum, const Value &value) {
    return sum + std::visit([](auto number) { return double(number); }, value);
  };
  for (;;) total = total + book.settle(add, 10);
}

NOINLINE static void await_work() {
  std::unique_lock<std::mutex> lock(mutex);
  wake.wait(lock, [] { return false; });
}

template <int Count>
static void nested(std::function<void()> body) {
  if constexpr (Count == 0) body();
  else nested<Count - 1>([body] { body(); });
}

static void start(const std::string &name, std::function<void()> body) {
  std::thread thread([body] { nested<5>(body); });
  pthread_setname_np(thread.native_handle(), name.c_str());
  thread.detach();
}

int main() {
  // A test that dies leaves its programs behind: each ends itself.
  alarm(900);
  start("matcher", match_orders);
  for (int i = 0; i < 30; i++) start("worker-" + std::to_string(i), await_work);
  for (int i = 0; i < 9; i++) {
    start("timer-" + std::to_string(i), [] {
      for (;;) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    });
  }
  puts("ready");
  fflush(stdout);
  await_work();
}

// A mutex of Swift's Synchronization: one thread holds it, another waits.
import Glibc
import Synchronization

final class Shared: Sendable {
  let lock = Mutex(0)
}

let shared = Shared()
@_silgen_name("pthread_setname_np")
func setName(_ thread: pthread_t, _ name: UnsafePointer<CChar>) -> CInt

@Sendable func name(_ text: String) { _ = setName(pthread_self(), text) }

func start(_ body: @escaping @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer?) {
  var thread = pthread_t()
  pthread_create(&thread, nil, body, nil)
}

start { _ in
  name("holder")
  shared.lock.withLock { _ in while true { pause() } }
  return nil
}
usleep(200_000)
start { _ in
  name("mutex")
  shared.lock.withLock { $0 += 1 }
  return nil
}
usleep(200_000)
print("ready")
fflush(stdout)
while true { pause() }

// Jobs on a concurrent queue of Dispatch, a few each 20 ms by a timer; the main thread runs its loop.
import Dispatch
import Glibc

let queue = DispatchQueue(label: "jobs", attributes: .concurrent)
let timer = DispatchSource.makeTimerSource(queue: queue)

func compress(_ seed: Int) -> Int {
  (0..<50_000).reduce(seed) { ($0 &* 31) ^ $1 }
}

timer.schedule(deadline: .now(), repeating: .milliseconds(20))
timer.setEventHandler {
  for job in 0..<4 { queue.async { if compress(job) == 0 { print("never") } } }
}
timer.activate()
DispatchQueue.main.asyncAfter(deadline: .now() + 900) { exit(1) }
print("ready")
fflush(nil)
dispatchMain()

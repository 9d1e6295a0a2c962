internal import ProfileAnalysis
internal import ProfileModel
internal import Testing

/// Stacks of Java as OpenJDK 17 and 25 show them, innermost first, without the VM's own functions.
@Suite struct `Threads of Java at rest` {
  private static let park =
    "jdk.internal.misc.Unsafe.park java.util.concurrent.locks.LockSupport.park "
  private static let condition =
    park
    + "java.util.concurrent.locks.AbstractQueuedSynchronizer$ConditionNode.block "
    + "java.util.concurrent.ForkJoinPool.unmanagedBlock "
    + "java.util.concurrent.ForkJoinPool.managedBlock "
    + "java.util.concurrent.locks.AbstractQueuedSynchronizer$ConditionObject.await "
  private static let worker =
    " java.util.concurrent.ThreadPoolExecutor.runWorker "
    + "java.util.concurrent.ThreadPoolExecutor$Worker.run java.lang.Thread.run"
  private static let pump =
    " java.awt.EventDispatchThread.pumpOneEventForFilters "
    + "java.awt.EventDispatchThread.pumpEventsForFilter "
    + "java.awt.EventDispatchThread.pumpEventsForHierarchy "
    + "java.awt.EventDispatchThread.pumpEvents java.awt.EventDispatchThread.run"

  private func frames(_ functions: String) -> [SourceFrame] {
    functions.split(separator: " ").map {
      SourceFrame(interpreted: SourceLine(function: String($0), file: "A.java", language: .java))
    }
  }

  private func idleness(_ functions: String, _ kind: WaitKind) -> Idleness? {
    var recognition = IdleRecognition([])
    let stack = recognition.stack(frames(functions))
    return IdleRecognition.idleness(of: stack, wait: Wait(kind: kind), isMain: false)
  }

  @Test(arguments: [
    condition + "java.util.concurrent.LinkedBlockingQueue.take "
      + "java.util.concurrent.ThreadPoolExecutor.getTask" + worker,
    condition
      + "java.util.concurrent.ScheduledThreadPoolExecutor$DelayedWorkQueue.take "
      + "java.util.concurrent.ThreadPoolExecutor.getTask" + worker,
    condition
      + "java.util.concurrent.LinkedBlockingQueue.take org.apache.tomcat.util.threads.TaskQueue.take "
      + "org.apache.tomcat.util.threads.ThreadPoolExecutor.getTask java.lang.Thread.run",
    park + "java.util.concurrent.ForkJoinPool.awaitWork "
      + "java.util.concurrent.ForkJoinPool.runWorker "
      + "java.util.concurrent.ForkJoinWorkerThread.run",
    "java.lang.Object.wait0 java.lang.Object.wait java.util.TimerThread.mainLoop "
      + "java.util.TimerThread.run",
  ])
  func `wait for work where their pool takes it`(functions: String) {
    #expect(idleness(functions, .conditionVariable) == .workerPool(.java))
    #expect(idleness(functions, .mutex) == nil)
  }

  @Test(arguments: [
    "java.lang.ref.Reference.waitForReferencePendingList "
      + "java.lang.ref.Reference.processPendingReferences "
      + "java.lang.ref.Reference$ReferenceHandler.run",
    "java.lang.Object.wait java.lang.ref.ReferenceQueue.remove jdk.internal.ref.CleanerImpl.run "
      + "java.lang.Thread.run",
  ])
  func `of the library handle references`(functions: String) {
    #expect(idleness(functions, .conditionVariable) == .runtime(.java))
  }

  @Test func `take events in AWT's queue`() {
    let functions = Self.condition + "java.awt.EventQueue.getNextEvent" + Self.pump
    #expect(idleness(functions, .conditionVariable) == .eventLoop(.awt))
  }

  @Test(arguments: [
    "java.lang.Object.wait org.example.Job.await org.example.Job.run" + worker,
    condition + "java.util.concurrent.LinkedBlockingQueue.take org.example.Job.run" + worker,
    park + "org.example.Worker.takeWork org.example.Worker.run java.lang.Thread.run",
  ])
  func `are not those that wait within a job`(functions: String) {
    #expect(idleness(functions, .conditionVariable) == nil)
  }

  @Test func `are not those whose handler of an event waits`() {
    let functions = frames(
      Self.park
        + "java.util.concurrent.locks.AbstractQueuedSynchronizer.acquire "
        + "java.util.concurrent.locks.ReentrantLock.lock org.example.Editor.write "
        + "org.example.Editor.save org.example.Editor$$Lambda.actionPerformed "
        + "javax.swing.AbstractButton.fireActionPerformed java.awt.Component.processEvent "
        + "java.awt.EventQueue.dispatchEventImpl java.awt.EventQueue.dispatchEvent" + Self.pump)
    var recognition = IdleRecognition([])
    let stack = recognition.stack(functions)
    #expect(
      IdleRecognition.idleness(of: stack, wait: Wait(kind: .mutex), isMain: true) == nil)
    #expect(stack.askerName == "org.example.Editor.write")
    #expect(IdleRecognition.loopRunningHandler(stack) == .awt)
    let handler = IdleRecognition.handler(of: stack, frames: functions)
    #expect(handler?.line.function == "org.example.Editor.save")
  }
}

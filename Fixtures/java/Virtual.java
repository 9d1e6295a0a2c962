import java.lang.reflect.Method;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Virtual threads that wait, by the first argument; needs Java 21 or later, though a compiler of 17 will do.
 */
public class Virtual {
  static final class Account {}

  static final class Ledger {}

  static final Account account = new Account();
  static final Ledger ledger = new Ledger();
  static final ReentrantLock audit = new ReentrantLock();
  static final ReentrantLock orders = new ReentrantLock();
  static final LinkedBlockingQueue<String> mail = new LinkedBlockingQueue<>();
  static volatile long rounds;

  static Thread virtual(String name, Runnable body) throws Exception {
    Object builder = Thread.class.getMethod("ofVirtual").invoke(null);
    Class<?> type = Class.forName("java.lang.Thread$Builder");
    type.getMethod("name", String.class).invoke(builder, name);
    return (Thread) type.getMethod("start", Runnable.class).invoke(builder, body);
  }

  static ExecutorService virtualExecutor() throws Exception {
    Method method = Executors.class.getMethod("newVirtualThreadPerTaskExecutor");
    return (ExecutorService) method.invoke(null);
  }

  static void await(CountDownLatch latch) {
    latch.countDown();
    try {
      latch.await();
    } catch (InterruptedException error) {
      throw new IllegalStateException(error);
    }
  }

  static void takeLock(ReentrantLock lock) {
    lock.lock(); // takes lock
    try {
      rounds++;
    } finally {
      lock.unlock();
    }
  }

  static void tryLock(ReentrantLock lock) {
    try {
      if (lock.tryLock(1, TimeUnit.HOURS)) lock.unlock(); // tries lock
    } catch (InterruptedException error) {
      throw new IllegalStateException(error);
    }
  }

  static void takeAccount() {
    synchronized (account) { // takes account
      rounds++;
    }
  }

  static void takeLedger() {
    synchronized (ledger) { // takes ledger
      rounds++;
    }
  }

  static void readMail() {
    try {
      mail.take(); // reads mail
    } catch (InterruptedException error) {
      throw new IllegalStateException(error);
    }
  }

  static void sleep(long milliseconds) {
    try {
      Thread.sleep(milliseconds); // sleeps
    } catch (InterruptedException error) {
      throw new IllegalStateException(error);
    }
  }

  static Thread[] deadlock(String kind) throws Exception {
    CountDownLatch both = new CountDownLatch(2);
    switch (kind) {
      case "monitors":
        return new Thread[] {
          virtual("transfer", () -> { synchronized (account) { await(both); takeLedger(); } }),
          virtual("journal", () -> { synchronized (ledger) { await(both); takeAccount(); } })
        };
      case "mixed":
        Thread platform = new Thread(() -> {
          synchronized (account) { await(both); takeLock(audit); }
        }, "transfer");
        platform.start();
        return new Thread[] {
          platform, virtual("journal", () -> { audit.lock(); await(both); takeAccount(); })
        };
      case "timed":
        return new Thread[] {
          virtual("transfer", () -> { orders.lock(); await(both); tryLock(audit); }),
          virtual("journal", () -> { audit.lock(); await(both); takeLock(orders); })
        };
      default:
        return new Thread[] {
          virtual("transfer", () -> { orders.lock(); await(both); takeLock(audit); }),
          virtual("journal", () -> { audit.lock(); await(both); takeLock(orders); })
        };
    }
  }

  /** Many that wait for work, some that sleep. */
  static void rest(int count) throws Exception {
    ExecutorService pool = virtualExecutor();
    CountDownLatch begun = new CountDownLatch(count);
    for (int number = 0; number < count; number++) {
      pool.submit(() -> { begun.countDown(); readMail(); });
    }
    for (int number = 0; number < 3; number++) virtual("", () -> sleep(10_000_000));
    begun.await();
    sleep(500);
    System.out.println("ready");
    while (true) sleep(10_000_000);
  }

  /** Many that wait for a lock which a thread has that sleeps. */
  static void crowd(int count) throws Exception {
    CountDownLatch held = new CountDownLatch(1);
    new Thread(() -> { audit.lock(); held.countDown(); sleep(10_000_000); }, "holder").start();
    held.await();
    CountDownLatch begun = new CountDownLatch(count);
    for (int number = 0; number < count; number++) {
      virtual("clerk-" + number, () -> { begun.countDown(); takeLock(audit); });
    }
    begun.await();
    sleep(500);
    System.out.println("ready");
    while (true) sleep(10_000_000);
  }

  /** The main thread waits for what a virtual thread has that sleeps. */
  static void hang() throws Exception {
    CountDownLatch held = new CountDownLatch(1);
    virtual("holder", () -> { audit.lock(); held.countDown(); sleep(10_000_000); });
    held.await();
    System.out.println("ready");
    takeLock(audit);
  }

  /** Some that take two locks in one order, again and again. */
  static void work() throws Exception {
    for (int number = 0; number < 20; number++) {
      virtual("worker-" + number, () -> {
        while (true) {
          audit.lock();
          try {
            takeLock(orders);
          } finally {
            audit.unlock();
          }
          if (rounds % 64 == 0) sleep(1);
        }
      });
    }
    System.out.println("ready");
    while (true) sleep(100);
  }

  public static void main(String[] arguments) throws Exception {
    End.later();
    String kind = arguments[0];
    switch (kind) {
      case "rest" -> rest(Integer.parseInt(arguments[1]));
      case "crowd" -> crowd(Integer.parseInt(arguments[1]));
      case "work" -> work();
      case "hung" -> hang();
      case "runs" -> {
        virtual("busy", () -> { while (true) rounds++; });
        sleep(300);
        System.out.println("ready");
        while (true) sleep(10_000_000);
      }
      default -> {
        Thread[] threads = deadlock(kind);
        for (Thread thread : threads) {
          while (thread.getState() == Thread.State.RUNNABLE) sleep(5);
        }
        sleep(500);
        System.out.println("ready");
        for (Thread thread : threads) thread.join();
      }
    }
  }
}

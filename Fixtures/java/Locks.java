import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/** Threads that wait for monitors and locks of Java, by the first argument. */
public class Locks {
  static final class Account {}

  static final class Ledger {}

  static final Account account = new Account();
  static final Ledger ledger = new Ledger();
  static final ReentrantLock audit = new ReentrantLock();
  static final ReentrantLock orders = new ReentrantLock();
  static final ReentrantReadWriteLock table = new ReentrantReadWriteLock();
  static final List<Thread> threads = new ArrayList<>();
  static volatile long rounds;

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

  static void takeLock(ReentrantLock lock) {
    lock.lock(); // takes lock
    try {
      rounds++;
    } finally {
      lock.unlock();
    }
  }

  static final CountDownLatch initializers = new CountDownLatch(2);

  /** Each of the two needs the other to be initialised. */
  static final class First {
    static {
      await(initializers);
      Second.touch(); // needs second
    }

    static void touch() {}
  }

  static final class Second {
    static {
      await(initializers);
      First.touch(); // needs first
    }

    static void touch() {}
  }

  static Thread start(String name, Runnable body) {
    Thread thread = new Thread(body, name);
    threads.add(thread);
    thread.start();
    return thread;
  }

  static void await(CountDownLatch both) {
    both.countDown();
    try {
      both.await();
    } catch (InterruptedException error) {
      throw new IllegalStateException(error);
    }
  }

  static void sleep(long milliseconds) {
    try {
      Thread.sleep(milliseconds);
    } catch (InterruptedException error) {
      throw new IllegalStateException(error);
    }
  }

  /** Waits until all threads wait for something; a thread that needs a class seems to run. */
  static void awaitWaits(String kind) {
    if (kind.equals("classes")) {
      while (initializers.getCount() > 0) sleep(5);
      sleep(300);
      return;
    }
    for (Thread thread : threads) {
      while (thread.getState() == Thread.State.RUNNABLE || thread.getState() == Thread.State.NEW) {
        sleep(5);
      }
    }
    sleep(200);
  }

  static void deadlock(String kind) {
    CountDownLatch both = new CountDownLatch(2);
    switch (kind) {
      case "monitors" -> {
        start("transfer", () -> { synchronized (account) { await(both); takeLedger(); } });
        start("journal", () -> { synchronized (ledger) { await(both); takeAccount(); } });
      }
      case "mixed" -> {
        start("transfer", () -> { synchronized (account) { await(both); takeLock(audit); } });
        start("journal", () -> { audit.lock(); await(both); takeAccount(); });
      }
      case "locks" -> {
        start("transfer", () -> { orders.lock(); await(both); takeLock(audit); });
        start("journal", () -> { audit.lock(); await(both); takeLock(orders); });
      }
      case "classes" -> {
        start("transfer", () -> { First.touch(); });
        start("journal", () -> { Second.touch(); });
      }
      default -> {
        start("transfer", () -> { table.writeLock().lock(); await(both); takeAccount(); });
        start("journal", () -> {
          synchronized (account) { await(both); table.readLock().lock(); }
        });
      }
    }
  }

  /** The main thread waits for what a sleeping thread holds. */
  static void hang(boolean isMonitor) {
    CountDownLatch held = new CountDownLatch(1);
    start("holder", () -> {
      if (isMonitor) {
        synchronized (account) { held.countDown(); sleep(10_000_000); }
      } else {
        audit.lock();
        held.countDown();
        sleep(10_000_000);
      }
    });
    try {
      held.await();
    } catch (InterruptedException error) {
      throw new IllegalStateException(error);
    }
    System.out.println("ready");
    if (isMonitor) takeAccount(); else takeLock(audit);
  }

  /** Workers that take a lock and a monitor in one order, again and again. */
  static void work() {
    for (int number = 0; number < 3; number++) {
      start("worker-" + number, () -> {
        while (true) {
          takeLock(audit);
          takeAccount();
          if (rounds % 64 == 0) sleep(1);
        }
      });
    }
    System.out.println("ready");
    while (true) sleep(100);
  }

  static synchronized void balance() { // balances
    sleep(15);
  }

  static void book() {
    orders.lock(); // books
    try {
      sleep(15);
    } finally {
      orders.unlock();
    }
  }

  /** Threads that take turns: each has the monitor, or the lock, for some milliseconds. */
  static void takeTurns(boolean isMonitor) {
    for (int number = 0; number < 4; number++) {
      start("clerk-" + number, () -> {
        while (true) {
          if (isMonitor) balance(); else book();
          sleep(1);
        }
      });
    }
    System.out.println("ready");
    while (true) sleep(10_000_000);
  }

  /** Pools at rest, and a main thread that sleeps or waits for its own end. */
  static void rest(boolean forItself) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(3);
    for (int number = 0; number < 3; number++) pool.submit(() -> { rounds++; }).get();
    Executors.newScheduledThreadPool(1).submit(() -> { rounds++; }).get();
    ForkJoinPool.commonPool().submit(() -> { rounds++; }).get();
    new java.util.Timer("timer").schedule(new java.util.TimerTask() {
      @Override public void run() { rounds++; }
    }, 10, 600_000);
    sleep(200);
    System.out.println("ready");
    if (forItself) Thread.currentThread().join();
    while (true) sleep(10_000_000);
  }

  public static void main(String[] arguments) throws Exception {
    End.later();
    String kind = arguments[0];
    switch (kind) {
      case "hung-monitor", "hung-lock" -> hang(kind.equals("hung-monitor"));
      case "healthy" -> work();
      case "turns-monitor", "turns-lock" -> takeTurns(kind.equals("turns-monitor"));
      case "rest", "rest-joining" -> rest(kind.equals("rest-joining"));
      default -> {
        deadlock(kind);
        awaitWaits(kind);
        System.out.println("ready");
        for (Thread thread : threads) thread.join();
      }
    }
  }
}

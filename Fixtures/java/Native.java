import java.util.concurrent.CountDownLatch;

/** A monitor of Java and a mutex of C, each held by a thread that waits for the other. */
public class Native {
  static final class Account {}

  static final Account account = new Account();

  static native void lockLedger();

  static void await(CountDownLatch both) {
    both.countDown();
    try {
      both.await();
    } catch (InterruptedException error) {
      throw new IllegalStateException(error);
    }
  }

  public static void main(String[] arguments) throws Exception {
    End.later();
    System.load(arguments[0]);
    CountDownLatch both = new CountDownLatch(2);
    Thread transfer = new Thread(() -> {
      synchronized (account) {
        await(both);
        lockLedger(); // takes the ledger
      }
    }, "transfer");
    Thread journal = new Thread(() -> {
      lockLedger();
      await(both);
      synchronized (account) { // takes the account
        account.notifyAll();
      }
    }, "journal");
    transfer.start();
    journal.start();
    while (journal.getState() != Thread.State.BLOCKED) Thread.sleep(5);
    Thread.sleep(300);
    System.out.println("ready");
    transfer.join();
  }
}

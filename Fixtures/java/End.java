/** Ends a program that a test which died has left behind. */
final class End {
  static void later() {
    Thread thread = new Thread(() -> {
      try {
        Thread.sleep(900_000);
      } catch (InterruptedException error) {
        return;
      }
      Runtime.getRuntime().halt(1);
    }, "end");
    thread.setDaemon(true);
    thread.start();
  }
}

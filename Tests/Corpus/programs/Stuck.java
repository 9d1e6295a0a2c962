// Java: two threads that wait for each other's monitors; or a server at rest.
public class Stuck {
  static final Object a = new Object(), b = new Object();
  static void take(Object first, Object second) {
    synchronized (first) {
      try { Thread.sleep(200); } catch (InterruptedException e) { }
      synchronized (second) { }
    }
  }
  public static void main(String[] mode) throws Exception {
    if (mode[0].equals("deadlock")) {
      Thread one = new Thread(() -> take(a, b), "one"), two = new Thread(() -> take(b, a), "two");
      one.start(); two.start();
      Thread.sleep(500);
      System.out.println("ready");
      one.join();
    } else if (mode[0].equals("idle")) {
      java.net.ServerSocket s = new java.net.ServerSocket(0);
      System.out.println("ready");
      s.accept();
    } else { System.out.println("ready"); long n = 0; while (true) n = n * 31 + 7; }
  }
}

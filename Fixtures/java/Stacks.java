import java.util.Map;
import java.util.Scanner;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.function.IntUnaryOperator;

/**
 * Stacks that are known: of threads that wait, printed by the program itself, and of one that computes,
 * by the lines that the comments mark.
 */
public class Stacks {
  static volatile int sink;
  static final CountDownLatch never = new CountDownLatch(1);

  interface Step { int take(int depth); }

  static final class Odd implements Step {
    static Step other;

    public int take(int depth) {
      if (depth == 0) return rest();
      return other.take(depth - 1) + 1;
    }
  }

  static final class Even implements Step {
    static Step other;

    public int take(int depth) {
      if (depth == 0) return rest();
      return other.take(depth - 1) + 2;
    }
  }

  static int rest() {
    if (Thread.currentThread().getName().startsWith("warm")) return 0;
    try {
      never.await();
    } catch (InterruptedException error) {
      return 1;
    }
    return 0;
  }

  static int mapped(int depth, IntUnaryOperator next) {
    return next.applyAsInt(depth);
  }

  // MARK: a thread that computes

  static int leafA(int n) {
    int x = 1;
    for (int i = 0; i < n; i++) x = x * 31 + i; // runs leafA
    return x;
  }

  static int leafB(int n) {
    int x = 7;
    for (int i = 0; i < n; i++) x = x * 17 ^ i; // runs leafB
    return x;
  }

  static int a3(int n) { return leafA(n) + 1; } // a3 calls leafA

  static int a2(int n) { return a3(n) ^ 2; } // a2 calls a3

  static int a1(int n) { return a2(n) + 3; } // a1 calls a2

  static int b2(int n) { return leafB(n) - 1; } // b2 calls leafB

  static int b1(int n) { return b2(n) + 5; } // b1 calls b2

  static void alternate() {
    for (int round = 0; ; round++) {
      int size = 20 + round % 7 * 30;
      sink += a1(size); // alternate calls a1
      sink += b1(size); // alternate calls b1
    }
  }

  static void spawn(String name, Runnable body) {
    Thread thread = new Thread(body, name);
    thread.setDaemon(true);
    thread.start();
  }

  static void print() {
    for (Map.Entry<Thread, StackTraceElement[]> entry : Thread.getAllStackTraces().entrySet()) {
      StringBuilder text = new StringBuilder("stack ").append(entry.getKey().getName());
      for (StackTraceElement frame : entry.getValue()) {
        text.append('|').append(frame.getClassName()).append('.').append(frame.getMethodName())
          .append(' ').append(Math.max(0, frame.getLineNumber()));
      }
      System.out.println(text);
    }
    System.out.println("end");
  }

  public static void main(String[] arguments) throws Exception {
    End.later();
    Odd.other = new Even();
    Even.other = new Odd();
    Thread warm = new Thread(() -> {
      for (int round = 0; round < 30_000; round++) sink += Odd.other.take(round % 12);
    }, "warm");
    warm.start();
    warm.join();
    spawn("interpreted", () -> sink += rest());
    spawn("recursion", () -> sink += Odd.other.take(40));
    spawn("deep", () -> sink += Odd.other.take(3000));
    spawn("lambda", () -> sink += mapped(3, depth -> Odd.other.take(depth)));
    Executors.newFixedThreadPool(1, body -> {
      Thread thread = new Thread(body, "pooled");
      thread.setDaemon(true);
      return thread;
    }).submit(() -> Odd.other.take(5));
    spawn("computing ümlaut €", Stacks::alternate);
    Thread.sleep(1000);
    System.out.println("ready");
    Scanner input = new Scanner(System.in);
    while (input.hasNextLine()) {
      input.nextLine();
      print();
    }
  }
}

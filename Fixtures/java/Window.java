import java.awt.EventQueue;
import java.awt.event.ActionEvent;
import java.util.concurrent.CountDownLatch;
import javax.swing.JButton;
import javax.swing.JFrame;

/**
 * A window whose button hangs, by the first argument: on a monitor, on one deep in a recursion, a socket, or a
 * loop.
 */
public class Window {
  static final class Ledger {}

  static final Ledger ledger = new Ledger();
  static volatile long rounds;
  static volatile int sink;

  static void save(ActionEvent event) {
    synchronized (ledger) { // waits for the ledger
      rounds++;
    }
  }

  static void descend(ActionEvent event) {
    sink = descend(5000, event);
  }

  static int descend(int calls, ActionEvent event) {
    if (calls > 0) return descend(calls - 1, event) + 1;
    save(event);
    return 0;
  }

  static void load(ActionEvent event) {
    try (java.net.ServerSocket server = new java.net.ServerSocket(0);
        java.net.Socket client = new java.net.Socket("127.0.0.1", server.getLocalPort())) {
      rounds += client.getInputStream().read(); // reads from the socket
    } catch (java.io.IOException error) {
      throw new IllegalStateException(error);
    }
  }

  static void count(ActionEvent event) {
    while (rounds >= 0) rounds = (rounds + 1) & 0xffff; // counts for ever
  }

  public static void main(String[] arguments) throws Exception {
    End.later();
    CountDownLatch held = new CountDownLatch(1);
    Thread holder = new Thread(() -> {
      synchronized (ledger) {
        held.countDown();
        try {
          Thread.sleep(10_000_000);
        } catch (InterruptedException error) {
          return;
        }
      }
    }, "holder");
    holder.setDaemon(true);
    holder.start();
    held.await();
    EventQueue.invokeAndWait(() -> {
      JButton button = new JButton("press");
      switch (arguments[0]) {
        case "monitor" -> button.addActionListener(Window::save);
        case "deep" -> button.addActionListener(Window::descend);
        case "socket" -> button.addActionListener(Window::load);
        case "loop" -> button.addActionListener(Window::count);
        default -> { }
      }
      JFrame frame = new JFrame("window");
      frame.add(button);
      frame.setSize(200, 100);
      frame.setDefaultCloseOperation(JFrame.EXIT_ON_CLOSE);
      frame.setVisible(true);
      EventQueue.invokeLater(() -> {
        if (arguments[0].equals("none")) { // has drawn all it will ever draw before it is watched
          button.doClick(10);
          EventQueue.invokeLater(() -> System.out.println("ready"));
          return;
        }
        System.out.println("ready");
        button.doClick(10);
      });
    });
  }
}

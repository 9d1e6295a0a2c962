// window TITLE [HOST [PID]]: a window of 200 by 100 at the upper left corner, which never answers the X
// server; with the properties of a program on HOST whose number there is PID, where given, as ones that
// come through ssh have them. Prints `ready` once it is shown.
#include "fixture.h"
#include <X11/Xatom.h>
#include <X11/Xlib.h>
#include <X11/Xutil.h>

int main(int count, char **arguments) {
  begin();
  Display *display = XOpenDisplay(NULL);
  if (!display) return 1;
  Window window = XCreateSimpleWindow(display, DefaultRootWindow(display), 0, 0, 200, 100, 0, 0, 0);
  XStoreName(display, window, count > 1 ? arguments[1] : "window");
  if (count > 2)
    XChangeProperty(display, window, XA_WM_CLIENT_MACHINE, XA_STRING, 8, PropModeReplace,
                    (unsigned char *)arguments[2], (int)strlen(arguments[2]));
  if (count > 3) {
    long pid = atol(arguments[3]);
    XChangeProperty(display, window, XInternAtom(display, "_NET_WM_PID", False), XA_CARDINAL, 32,
                    PropModeReplace, (unsigned char *)&pid, 1);
  }
  XSelectInput(display, window, StructureNotifyMask);
  XMapWindow(display, window);
  XEvent event;
  do XNextEvent(display, &event);
  while (event.type != MapNotify);
  ready();
  for (;;) pause();
}

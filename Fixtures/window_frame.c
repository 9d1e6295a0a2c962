// window_frame: puts a frame around the first window of the screen, as a window manager does. The frame
// has a title bar of 40 pixels, and a button in it, before the window. Prints `ready` when it is done.
#include "fixture.h"
#include <X11/Xlib.h>
#include <X11/Xutil.h>

int main(void) {
  begin();
  Display *display = XOpenDisplay(NULL);
  if (!display) return 1;
  Window root = DefaultRootWindow(display), parent, *windows = NULL;
  unsigned int count = 0;
  if (!XQueryTree(display, root, &root, &parent, &windows, &count) || count == 0) return 1;
  Window window = windows[0];
  Window frame = XCreateSimpleWindow(display, root, 0, 0, 200, 140, 0, 0, 0);
  Window button = XCreateSimpleWindow(display, frame, 0, 0, 20, 20, 0, 0, 0);
  XReparentWindow(display, window, frame, 0, 40);
  long state[2] = {NormalState, None};
  Atom atom = XInternAtom(display, "WM_STATE", False);
  XChangeProperty(display, window, atom, atom, 32, PropModeReplace, (unsigned char *)state, 2);
  XMapWindow(display, window);
  XMapWindow(display, button);
  XMapWindow(display, frame);
  XSync(display, False);
  ready();
  for (;;) pause();
}

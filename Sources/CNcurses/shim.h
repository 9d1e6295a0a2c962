// What sprof needs of ncurses. Most of its names are macros on the global stdscr, which Swift cannot see or
// may not share.
#pragma once
#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <wchar.h>

// <term.h> has macros with names that others use.
extern char *tigetstr(const char *);
extern int setupterm(const char *, int, int *);

// Whether the terminal can be told where to draw: newterm takes one that cannot, such as `dumb`, too.
static inline int sprof_curses_can_place(void) {
  int error = 0;
  if (setupterm(NULL, fileno(stdout), &error) != OK) return 0;
  const char *placing = tigetstr("cup");
  return placing && placing != (char *)-1;
}

// Styles: pairs 1 to 3 are green, yellow and red on the terminal's own background.
static inline SCREEN *sprof_curses_open(int wantsColor) {
  setlocale(LC_ALL, "");
  if (!sprof_curses_can_place()) return NULL;
  // initscr would end the program where the terminal is not known.
  SCREEN *screen = newterm(NULL, stdout, stdin);
  if (!screen) return NULL;
  // Its handler would run on whichever thread takes the signal, beside the one that draws.
  signal(SIGTSTP, SIG_DFL);
  raw();
  noecho();
  nonl();
  keypad(stdscr, TRUE);
  curs_set(0);
  set_escdelay(25);
  if (wantsColor && has_colors()) {
    start_color();
    use_default_colors();
    init_pair(1, COLOR_GREEN, -1);
    init_pair(2, COLOR_YELLOW, -1);
    init_pair(3, COLOR_RED, -1);
  }
  mousemask(BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
  return screen;
}

// Clears the screen that the terminal is about to leave: one that was resized meanwhile may show lines of it.
static inline void sprof_curses_clear(void) {
  const char *leaving = tigetstr("rmcup");
  if (!leaving || leaving == (char *)-1) return;
  erase();
  refresh();
}

// Gives the terminal back as it was.
static inline void sprof_curses_close(SCREEN *screen) {
  sprof_curses_clear();
  endwin();
  delscreen(screen);
}

static inline void sprof_curses_leave(void) {
  sprof_curses_clear();
  def_prog_mode();
  endwin();
}

static inline void sprof_curses_return(void) {
  reset_prog_mode();
  // Only the job in the foreground is told of a new size.
  struct winsize size;
  if (ioctl(fileno(stdout), TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0
      && is_term_resized(size.ws_row, size.ws_col))
    resizeterm(size.ws_row, size.ws_col);
  clearok(curscr, TRUE);
  refresh();
}

// What leaves the full screen, as text that ends with a 0; without the pauses that old terminals need.
static inline void sprof_curses_leaving(char *text, size_t size) {
  // Cleared as by sprof_curses_clear.
  const char *leaving = tigetstr("rmcup");
  const char *clearing = leaving && leaving != (char *)-1 ? "clear" : "sgr0";
  const char *const names[] = {"cnorm", "rmkx", "sgr0", clearing, "rmcup"};
  size_t used = 0;
  const char *mouse = tigetstr("kmous");
  if (mouse && mouse != (char *)-1)
    used = (size_t)snprintf(text, size, "\033[?1006l\033[?1000l");
  for (size_t place = 0; place < sizeof names / sizeof *names; place++) {
    const char *next = tigetstr(names[place]);
    if (!next || next == (char *)-1) continue;
    while (*next && used + 1 < size) {
      const char *end = next[0] == '$' && next[1] == '<' ? strchr(next, '>') : NULL;
      if (end) next = end + 1;
      else text[used++] = *next++;
    }
  }
  if (used >= size) used = size - 1;
  text[used] = 0;
}

static inline int sprof_curses_is_utf8(void) { return strcmp(nl_langinfo(CODESET), "UTF-8") == 0; }

static inline int sprof_curses_height(void) { return getmaxy(stdscr); }
static inline int sprof_curses_width(void) { return getmaxx(stdscr); }

static inline void sprof_curses_erase(void) { erase(); }

// Begins a line, with nothing in it.
static inline void sprof_curses_begin(int row) {
  if (move(row, 0) == OK) clrtoeol();
}
static inline void sprof_curses_end(void) { refresh(); }

// `bold`, `dim`, `reverse` are 0 or 1, `pair` is 0 for the terminal's own colours.
static inline void sprof_curses_text(const char *text, int bold, int dim, int reverse, int pair) {
  attr_t attributes = (bold ? A_BOLD : 0) | (dim ? A_DIM : 0) | (reverse ? A_REVERSE : 0);
  attr_set(attributes, (short)(has_colors() ? pair : 0), NULL);
  addstr(text);
  attr_set(0, 0, NULL);
}

// The next key, within `milliseconds`: a character as it is, a key of ncurses as its negative code; 0 for
// none.
static inline int sprof_curses_key(int milliseconds) {
  timeout(milliseconds);
  wint_t code = 0;
  switch (get_wch(&code)) {
  case OK: return (int)code;
  case KEY_CODE_YES:
    if (code == KEY_MOUSE) {
      MEVENT event;
      if (getmouse(&event) != OK) return 0;
      return event.bstate & BUTTON4_PRESSED ? -KEY_UP : event.bstate & BUTTON5_PRESSED ? -KEY_DOWN : 0;
    }
    return -(int)code;
  default: return 0;
  }
}

enum {
  sprof_key_up = -KEY_UP, sprof_key_down = -KEY_DOWN, sprof_key_page_up = -KEY_PPAGE,
  sprof_key_page_down = -KEY_NPAGE, sprof_key_home = -KEY_HOME, sprof_key_end = -KEY_END,
  sprof_key_back_tab = -KEY_BTAB, sprof_key_backspace = -KEY_BACKSPACE,
  sprof_key_enter = -KEY_ENTER, sprof_key_resize = -KEY_RESIZE
};

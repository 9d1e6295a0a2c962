// libunwind's names are token-pasting macros, which Swift cannot see: each one used gets a wrapper.
#pragma once
#include <libunwind.h>

// Exported by the library for tools that bring their own tables, but declared in no installed
// header (libunwind's own libunwind_i.h declares it, with the architecture's prefix).
extern int UNW_OBJ(dwarf_search_unwind_table)(unw_addr_space_t space, unw_word_t ip, unw_dyn_info_t *info,
                                              unw_proc_info_t *procedure, int needUnwindInfo, void *argument);

static inline unw_addr_space_t sprof_unw_create_addr_space(unw_accessors_t *accessors) {
  return unw_create_addr_space(accessors, 0);
}

static inline void sprof_unw_destroy_addr_space(unw_addr_space_t space) { unw_destroy_addr_space(space); }

static inline int sprof_unw_init_remote(unw_cursor_t *cursor, unw_addr_space_t space, void *argument) {
  return unw_init_remote(cursor, space, argument);
}

static inline int sprof_unw_get_reg(unw_cursor_t *cursor, int number, unw_word_t *value) {
  return unw_get_reg(cursor, number, value);
}

static inline int sprof_unw_reg_states_iterate(unw_cursor_t *cursor, unw_reg_states_callback callback,
                                               void *token) {
  return unw_reg_states_iterate(cursor, callback, token);
}

static inline int sprof_unw_apply_reg_state(unw_cursor_t *cursor, void *state) {
  return unw_apply_reg_state(cursor, state);
}

// The frame description entry at `entry`, whatever addresses it says it covers. A table of one
// row, read through the accessors at `table`, is how the library wants to be told: its row
// { INT32_MIN, 0 } precedes every address and leads to `segbase` itself.
static inline int sprof_unw_read_entry(unw_addr_space_t space, unw_word_t ip, unw_word_t table,
                                       unw_word_t entry, unw_proc_info_t *procedure, int needUnwindInfo,
                                       void *argument) {
  unw_dyn_info_t info = {0};
  info.format = UNW_INFO_FORMAT_REMOTE_TABLE;
  info.start_ip = 0;
  info.end_ip = ~(unw_word_t)0;
  info.u.rti.segbase = entry;
  info.u.rti.table_data = table;
  info.u.rti.table_len = 1;
  return UNW_OBJ(dwarf_search_unwind_table)(space, ip, &info, procedure, needUnwindInfo, argument);
}

#define _GNU_SOURCE
#include "CLinux.h"

#include <link.h>
#include <sys/mman.h>

// Code is mapped from the file and never written to. The first object is the program itself (dl_iterate_phdr(3)).
static int drop_code(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size, (void)data;
  const uintptr_t page = 4095;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
    if (segment->p_type != PT_LOAD || (segment->p_flags & (PF_X | PF_W)) != PF_X) continue;
    uintptr_t start = (info->dlpi_addr + segment->p_vaddr) & ~page;
    uintptr_t end = (info->dlpi_addr + segment->p_vaddr + segment->p_filesz) & ~page;
    if (end > start) madvise((void *)start, end - start, MADV_DONTNEED);
  }
  return 1;
}

void sprof_give_memory_back(void) {
  malloc_trim(0);
  dl_iterate_phdr(drop_code, NULL);
}

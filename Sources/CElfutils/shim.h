#pragma once
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <gelf.h>
#include <libelf.h>

// The C++ runtime has no C header for it (Itanium C++ ABI, "Demangler API").
char *__cxa_demangle(const char *mangled, char *buffer, size_t *length, int *status);

// Exported by the Swift runtime (swift/Demangling/Demangle.h); the result is malloc'ed.
char *swift_demangle(
    const char *mangled, size_t length, char *buffer, size_t *bufferLength, uint32_t flags);

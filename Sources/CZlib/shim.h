#pragma once
#include <zlib.h>

// deflateInit2 and inflateInit2 are macros, which Swift does not see. 16 is added to the window's
// bits for a gzip header and trailer (zlib.h).
static inline int sprof_deflate_init(z_stream *stream, int level) {
  return deflateInit2(stream, level, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
}

static inline int sprof_inflate_init(z_stream *stream) {
  return inflateInit2(stream, 16 + MAX_WBITS);
}

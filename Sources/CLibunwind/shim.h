// libunwind's names are token-pasting macros, which Swift cannot see: each one used gets a wrapper.
#pragma once
#include <libunwind.h>
